import { createHash } from 'node:crypto'

/** A Lua script with the name by which Redis remembers it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

// What several scripts share. Only plain searches go through a record: U+0000 in Lua patterns depends
// on the version of Lua. Times are 13 digits and stay text where they can, compared as text.
const RECORD = `
local find, sub, byte = string.find, string.sub, string.byte

-- The text of the record under KEYS[1], the place of the U+0000 that ends its header, and what is in
-- the header: the four times and the generation as one text, fence, login, remember. Or false and why
-- not: gone, newer, corrupt.
local function open()
  local text = redis.call('GET', KEYS[1])
  if not text then return false, 'gone' end
  local times, fence, login, remember, stop = string.match(text, '^s1(%d+),(%d+),(%d*),(%d*)()')
  if times and #times > 52 and byte(text, stop) == 0 and byte(text, -1) == 0 then
    return text, stop, times, fence, login, remember
  end
  return false, find(text, '^s[2-9a-z]') and 'newer' or 'corrupt'
end

-- Where the text of a value is, from its first byte to the one before its end, and the place of the
-- U+0000 before its entry.
local function locate(text, name, stop)
  local before, last = find(text, '\\0\\1' .. name .. '\\0\\2', stop, true)
  if before then return last + 1, find(text, '\\0', last + 1, true) - 1, before end
end

-- The bytes to replace, from and to, so that the name holds a text, or false for none; and by what.
local function edit(name, wanted, first, last, before)
  if not first then return nil, nil, wanted and '\\1' .. name .. '\\0\\2' .. wanted .. '\\0' end
  if wanted then return first, last, wanted end
  return before + 1, last + 1, ''
end
`

// Clocks that differ by less count as one: what is stored are then the times of the process.
const CLOCK = `
-- The time of the server as text, and what to add to times of a process whose clock says at.
local function clock(at)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local ahead = now - at
  if ahead >= -1000 and ahead <= 1000 then ahead = 0 end
  return string.format('%.0f', now), ahead
end

-- A time by the other clock.
local function shift(time, ahead)
  if ahead == 0 then return time end
  return string.format('%013.0f', math.max(1, time + ahead))
end
`

/**
 * Tells the time.
 *
 * - KEYS: one that the caller may use
 * - reply: the time of the server
 */
export const TIME: Script = script(`${CLOCK}
return (clock(0))
`)

/**
 * Keeps a new record.
 *
 * - KEYS: the record
 * - ARGV: at, the text of the record
 * - reply: `newer`, or the time of the server, `,` and `1`, or `0` if there is a record already
 */
export const CREATE: Script = script(`${CLOCK}
local text, sub = ARGV[2], string.sub
local now, ahead = clock(ARGV[1])
if ahead ~= 0 then
  local times = {}
  for place = 3, 42, 13 do times[#times + 1] = shift(sub(text, place, place + 12), ahead) end
  text = 's1' .. table.concat(times) .. string.gsub(sub(text, 55), '^(%d+,%d+,)(%d+)', function(before, login)
    return before .. shift(login, ahead)
  end)
end
if redis.call('SET', KEYS[1], text, 'NX', 'PXAT', sub(text, 3, 15)) then return now .. ',1' end
if string.find(redis.call('GETRANGE', KEYS[1], 0, 1), '^s[2-9a-z]') then return 'newer' end
return now .. ',0'
`)

/**
 * Moves the idle deadline of a record, if that is still due. Reads and writes only its beginning.
 *
 * - KEYS: the record
 * - ARGV: at, generation, expiresAt, whenBefore
 * - reply: the time of the server
 */
export const TOUCH: Script = script(`${CLOCK}
local now, ahead = clock(ARGV[1])
local times = string.match(redis.call('GETRANGE', KEYS[1], 0, 99), '^s1(%d+),')
if not times or string.sub(times, 53) ~= ARGV[2] then return now end
local expires, deadline = string.sub(times, 1, 13), string.sub(times, 14, 26)
local asked = shift(ARGV[3], ahead)
if asked > deadline then asked = deadline end
if expires < shift(ARGV[4], ahead) and expires < asked then
  redis.call('SETRANGE', KEYS[1], 2, asked)
  redis.call('PEXPIREAT', KEYS[1], asked)
end
return now
`)

/**
 * Applies a change to a record, all or nothing.
 *
 * - KEYS: the record
 * - ARGV: with `,` between: at, generation, expiresAt, deadline or nothing, `renew` or `fence` or
 *   nothing, rememberFor (nothing: as it is, `-`: removed), `1` to clear, how many names to unset, how
 *   many to set; the user (nothing: as it is, `-`: removed, `=` and the user); the names to unset; those
 *   to set, each with its text; the others, each with the integer to add
 * - reply: `gone`, `stale`, `newer`, `corrupt`; `number,` and the place in the last list of what is no
 *   integer; or the time of the server, expiresAt, deadline, generation and the sums each after `,`
 */
export const COMMIT: Script = script(`${RECORD}${CLOCK}
local LARGEST = 9007199254740991

local function integer(text)
  if text == '0' then return 0 end
  if #text > 17 or not find(text, '^%-?[1-9]%d*$') then return nil end
  local number = tonumber(text)
  return number >= -LARGEST and number <= LARGEST and number or nil
end

local text, stop, times, fence, login, remember = open()
if not text then return stop end
local at, opened, asked, ends, rotate, keep, clear, unset, set = string.match(ARGV[1],
  '^(%d+),(%d+),(%d+),(%d*),(%a*),([%d-]*),(%d?),(%d+),(%d+)$')
if tonumber(opened) < tonumber(fence) then return 'stale' end
local generation = sub(times, 53)
local now, ahead = clock(at)

if clear ~= '' then text = sub(text, 1, find(text, '\\0\\1', stop, true) or -1) end

-- What each changed name holds in the end: a text, or false for none.
local wanted, order, place = {}, {}, 3
for _ = 1, unset do
  order[#order + 1], wanted[ARGV[place]] = ARGV[place], false
  place = place + 1
end
for _ = 1, set do
  if wanted[ARGV[place]] == nil then order[#order + 1] = ARGV[place] end
  wanted[ARGV[place]] = ARGV[place + 1]
  place = place + 2
end
local sums = ''
for n = place, #ARGV, 2 do
  local name = ARGV[n]
  local before = wanted[name]
  if before == nil then
    order[#order + 1] = name
    local first, last = locate(text, name, stop)
    before = first and sub(text, first, last)
  end
  local number = not before and 0 or integer(before)
  local sum = number and number + tonumber(ARGV[n + 1])
  if not sum or sum > LARGEST or sum < -LARGEST then return 'number,' .. (n - place) / 2 end
  wanted[name] = string.format('%.0f', sum)
  sums = sums .. ',' .. wanted[name]
end

-- The bytes to replace, in their order: { from, to, by what }.
local edits, added = {}, ''
if ARGV[2] ~= '' then
  local last = stop
  if byte(text, stop + 1) == 117 then last = find(text, '\\0', stop + 1, true) end
  local user = ARGV[2] == '-' and '' or 'u' .. sub(ARGV[2], 2) .. '\\0'
  edits[1] = { stop + 1, last, user }
  login = user ~= '' and shift(at, ahead) or ''
end
local function change(name, first, last, before)
  local from, to, by = edit(name, wanted[name], first, last, before)
  if from then edits[#edits + 1] = { from, to, by } elseif by then added = added .. by end
end
if #order <= 8 then
  for _, name in ipairs(order) do change(name, locate(text, name, stop)) end
  if #edits > 1 then table.sort(edits, function(a, b) return a[1] < b[1] end) end
else
  -- Many names are found in one pass over the entries.
  local from = find(text, '\\0\\1', stop, true) or #text
  while from < #text do
    local middle = find(text, '\\0', from + 1, true)
    local after = find(text, '\\0', middle + 1, true)
    if not after or byte(text, from + 1) ~= 1 then return 'corrupt' end
    local name = sub(text, from + 2, middle - 1)
    if wanted[name] ~= nil then
      change(name, middle + 2, after - 1, from)
      wanted[name] = nil
    end
    from = after
  end
  for _, name in ipairs(order) do
    if wanted[name] ~= nil then change(name) end
  end
end

local expires, deadline = sub(times, 1, 13), sub(times, 14, 26)
asked = shift(asked, ahead)
if ends ~= '' then deadline = shift(ends, ahead)
elseif asked < expires then asked = expires end
expires = asked < deadline and asked or deadline

local renewed = sub(times, 40, 52)
if rotate == 'fence' or rotate == 'renew' and generation == opened then
  generation, renewed = generation + 1, shift(at, ahead)
  if rotate == 'fence' then fence = generation end
end
if keep ~= '' then remember = keep == '-' and '' or keep end

local header = 's1' .. expires .. deadline .. sub(times, 27, 39) .. renewed .. generation .. ',' .. fence
  .. ',' .. login .. ',' .. remember .. '\\0'
-- What keeps its place is overwritten there, which costs little and tells replicas little.
local first = edits[1]
if #header == stop and #edits < 2 and added == '' and clear == ''
  and (not first or #first[3] == first[2] - first[1] + 1) then
  redis.call('SETRANGE', KEYS[1], 0, header)
  if first then redis.call('SETRANGE', KEYS[1], first[1] - 1, first[3]) end
  redis.call('PEXPIREAT', KEYS[1], expires)
  text = nil
elseif #edits == 0 then
  text = header .. sub(text, stop + 1) .. added
elseif #edits == 1 then
  text = header .. sub(text, stop + 1, first[1] - 1) .. first[3] .. sub(text, first[2] + 1) .. added
else
  local pieces, from = { header }, stop + 1
  for _, e in ipairs(edits) do
    pieces[#pieces + 1] = sub(text, from, e[1] - 1)
    pieces[#pieces + 1] = e[3]
    from = e[2] + 1
  end
  pieces[#pieces + 1] = sub(text, from)
  pieces[#pieces + 1] = added
  text = table.concat(pieces)
end
if text then redis.call('SET', KEYS[1], text, 'PXAT', expires) end
return now .. shift(expires, -ahead) .. shift(deadline, -ahead) .. generation .. sums
`)

/**
 * Replaces one value if it still is what the caller believes.
 *
 * - KEYS: the record
 * - ARGV: generation or nothing, name, the text before (nothing: absent, `=` and the text), the text after
 * - reply: `gone`, `stale`, `newer`, `corrupt`, `1`, or `0` if it is another by now
 */
export const SWAP: Script = script(`${RECORD}
local text, stop, times, fence = open()
if not text then return stop end
if ARGV[1] ~= '' and tonumber(ARGV[1]) < tonumber(fence) then return 'stale' end
local first, last, before = locate(text, ARGV[2], stop)
if (first and '=' .. sub(text, first, last) or '') ~= ARGV[3] then return '0' end
local from, to, by = edit(ARGV[2], ARGV[4] ~= '' and sub(ARGV[4], 2), first, last, before)
if by then
  text = sub(text, 1, (from or 0) - 1) .. by .. sub(text, (to or #text) + 1)
  redis.call('SET', KEYS[1], text, 'PXAT', sub(times, 1, 13))
end
return '1'
`)

/**
 * Reads and removes one value.
 *
 * - KEYS: the record
 * - ARGV: generation or nothing, name
 * - reply: `=` and the text; `gone` or `stale`: there is none for the caller; `newer`, `corrupt`
 */
export const TAKE: Script = script(`${RECORD}
local text, stop, times, fence = open()
if not text then return stop end
if ARGV[1] ~= '' and tonumber(ARGV[1]) < tonumber(fence) then return 'stale' end
local first, last, before = locate(text, ARGV[2], stop)
if not first then return 'gone' end
redis.call('SET', KEYS[1], sub(text, 1, before) .. sub(text, last + 2), 'PXAT', sub(times, 1, 13))
return '=' .. sub(text, first, last)
`)

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
