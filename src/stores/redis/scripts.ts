import { createHash } from 'node:crypto'

/** A Lua script with the name by which Redis remembers it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

// What several scripts share. Only plain searches are used: U+0000 in Lua patterns depends on the
// version of Lua. Redis numbers are doubles: times and safe integers are exact in them.
const RECORD = `
local find, sub, format = string.find, string.sub, string.format

-- The record under KEYS[1]: its header as numbers and the rest, which begins with the U+0000 of the
-- header. Otherwise nil and why not: gone, newer, corrupt.
local function open()
  local text = redis.call('GET', KEYS[1])
  if not text then return nil, 'gone' end
  local stop = find(text, '\\0', 1, true) or 0
  local expires, created, life, generation, renewed, fence, login, remember = string.match(
    sub(text, 1, stop - 1),
    '^s1(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%-?%d+),(%d+),(%-?%d+),(%d+),(%-?%d*),(%d*)$')
  if not fence or string.byte(text, -1) ~= 0 then
    return nil, string.match(text, '^s[2-9a-z]') and 'newer' or 'corrupt'
  end
  created = tonumber(created)
  return {
    created = created, expires = tonumber(expires), deadline = created + tonumber(life),
    generation = tonumber(generation), renewed = created + tonumber(renewed), fence = tonumber(fence),
    login = login, remember = remember, rest = sub(text, stop),
  }
end

-- The only way in which a record is written again: with the end of its life in the same command.
local function save(r)
  local header = format('s1%013.0f%013.0f%.0f,%.0f,%.0f,%.0f,%s,%s', r.expires, r.created,
    r.deadline - r.created, r.generation, r.renewed - r.created, r.fence, r.login, r.remember)
  redis.call('SET', KEYS[1], header .. r.rest, 'PXAT', format('%.0f', r.expires))
end

-- Where a value is: the U+0000 before its entry, the first byte of its text, the U+0000 after it.
local function locate(rest, name)
  local before, last = find(rest, '\\0\\1' .. name .. '\\0\\2', 1, true)
  if before then return before, last + 1, find(rest, '\\0', last + 1, true) end
end

local function read(rest, name)
  local before, first, after = locate(rest, name)
  return before and sub(rest, first, after - 1)
end

local function entry(name, text)
  return '\\1' .. name .. '\\0\\2' .. text .. '\\0'
end

-- The rest with a text under a name, or without that name.
local function put(rest, name, text)
  local before, first, after = locate(rest, name)
  if not before then return text and rest .. entry(name, text) or rest end
  if not text then return sub(rest, 1, before) .. sub(rest, after + 1) end
  return sub(rest, 1, first - 1) .. text .. sub(rest, after)
end
`

// Clocks that differ by less count as one: what is stored are then the times of the process.
const CLOCK = `
-- The time of the server, and what to add to times of a process whose clock says at.
local function clock(at)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local ahead = now - at
  if ahead >= -1000 and ahead <= 1000 then ahead = 0 end
  return format('%.0f', now), ahead
end
`

/**
 * Tells the time.
 *
 * - KEYS: one that the caller may use
 * - reply: the time of the server
 */
export const TIME: Script = script(`
local format = string.format
${CLOCK}
return (clock(0))
`)

/**
 * Keeps a new record.
 *
 * - KEYS: the record
 * - ARGV: at, the text of the record
 * - reply: `newer`, or the time of the server, `,` and `1`, or `0` if there is a record already
 */
export const CREATE: Script = script(`
local sub, format = string.sub, string.format
${CLOCK}
local text = ARGV[2]
local now, ahead = clock(tonumber(ARGV[1]))
local expires, created = tonumber(sub(text, 3, 15)) + ahead, tonumber(sub(text, 16, 28)) + ahead
if ahead ~= 0 then text = format('s1%013.0f%013.0f', expires, created) .. sub(text, 29) end
local done = redis.call('SET', KEYS[1], text, 'NX', 'PXAT', format('%.0f', expires))
if not done and string.match(redis.call('GETRANGE', KEYS[1], 0, 1), '^s[2-9a-z]') then return 'newer' end
return now .. (done and ',1' or ',0')
`)

/**
 * Moves the idle deadline of a record, if that is still due. Reads and writes only its beginning.
 *
 * - KEYS: the record
 * - ARGV: at, generation, expiresAt, whenBefore
 * - reply: the time of the server
 */
export const TOUCH: Script = script(`
local format = string.format
${CLOCK}
local now, ahead = clock(tonumber(ARGV[1]))
local header = redis.call('GETRANGE', KEYS[1], 0, 255)
local expires, created, life, generation = string.match(header,
  '^s1(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%-?%d+),(%d+),')
if not generation or generation ~= ARGV[2] then return now end
expires = tonumber(expires)
if expires >= tonumber(ARGV[4]) + ahead then return now end
local asked = math.min(tonumber(ARGV[3]) + ahead, tonumber(created) + tonumber(life))
if asked > expires then
  redis.call('SETRANGE', KEYS[1], 2, format('%013.0f', asked))
  redis.call('PEXPIREAT', KEYS[1], format('%.0f', asked))
end
return now
`)

/**
 * Applies a change to a record, all or nothing.
 *
 * - KEYS: the record
 * - ARGV: at, generation, expiresAt, deadline or nothing, `renew` or `fence` or nothing, the user
 *   (nothing: as it is, `-`: removed, `=` and the user), rememberFor (likewise, without `=`), `1` to
 *   clear, how many names to unset, how many to set, those to unset, those to set each with its text,
 *   the others each with the integer to add
 * - reply: `gone`, `stale`, `newer`, `corrupt`; `number,` and the place in the last list of what is no
 *   integer; or the time of the server, generation, expiresAt, deadline and the sums, with `,` between
 */
export const COMMIT: Script = script(`${RECORD}${CLOCK}
local LARGEST = 9007199254740991

local function integer(text)
  if text == '0' then return 0 end
  if #text > 17 or not string.match(text, '^%-?[1-9]%d*$') then return nil end
  local number = tonumber(text)
  return number >= -LARGEST and number <= LARGEST and number or nil
end

local r, why = open()
if not r then return why end
local generation = tonumber(ARGV[2])
if generation < r.fence then return 'stale' end
local at = tonumber(ARGV[1])
local now, ahead = clock(at)
at = at + ahead

if ARGV[8] == '1' then
  local first = find(r.rest, '\\0\\1', 1, true)
  if first then r.rest = sub(r.rest, 1, first) end
end

-- What each changed name holds in the end: a text, or false for none.
local wanted, order, place = {}, {}, 11
local function want(name, text)
  if wanted[name] == nil then order[#order + 1] = name end
  wanted[name] = text
end
for _ = 1, tonumber(ARGV[9]) do
  want(ARGV[place], false)
  place = place + 1
end
for _ = 1, tonumber(ARGV[10]) do
  want(ARGV[place], ARGV[place + 1])
  place = place + 2
end
local sums = {}
while ARGV[place] do
  local name = ARGV[place]
  local text = wanted[name]
  if text == nil then text = read(r.rest, name) end
  local number = text and integer(text) or not text and 0
  local sum = number and number + tonumber(ARGV[place + 1])
  if not sum or sum > LARGEST or sum < -LARGEST then return 'number,' .. #sums end
  sums[#sums + 1] = format('%.0f', sum)
  want(name, sums[#sums])
  place = place + 2
end

-- Few names are spliced in one by one; many are replaced in one pass over the entries.
if #order <= 8 then
  for _, name in ipairs(order) do r.rest = put(r.rest, name, wanted[name]) end
else
  local rest = r.rest
  local first = find(rest, '\\0\\1', 1, true) or #rest
  local pieces, from = { sub(rest, 1, first) }, first + 1
  while from <= #rest do
    local middle = find(rest, '\\0', from, true)
    local after = find(rest, '\\0', middle + 1, true)
    if not after or string.byte(rest, from) ~= 1 then return 'corrupt' end
    local name = sub(rest, from + 1, middle - 1)
    local text = wanted[name]
    if text then pieces[#pieces + 1] = entry(name, text)
    elseif text == nil then pieces[#pieces + 1] = sub(rest, from, after) end
    if text then wanted[name] = false end
    from = after + 1
  end
  for _, name in ipairs(order) do
    if wanted[name] then pieces[#pieces + 1] = entry(name, wanted[name]) end
  end
  r.rest = table.concat(pieces)
end

local asked = tonumber(ARGV[3]) + ahead
if ARGV[4] ~= '' then r.deadline = tonumber(ARGV[4]) + ahead
elseif asked < r.expires then asked = r.expires end
r.expires = math.max(1, math.min(asked, r.deadline))

if ARGV[5] == 'fence' or ARGV[5] == 'renew' and r.generation == generation then
  r.generation, r.renewed = r.generation + 1, at
  if ARGV[5] == 'fence' then r.fence = r.generation end
end

if ARGV[6] ~= '' then
  if sub(r.rest, 2, 2) == 'u' then r.rest = sub(r.rest, (find(r.rest, '\\0', 2, true))) end
  r.login = ''
  if ARGV[6] ~= '-' then
    r.rest = '\\0u' .. sub(ARGV[6], 2) .. r.rest
    r.login = format('%.0f', at - r.created)
  end
end
if ARGV[7] ~= '' then r.remember = ARGV[7] == '-' and '' or ARGV[7] end

save(r)
local times = format(',%.0f,%.0f,%.0f', r.generation, r.expires - ahead, r.deadline - ahead)
return now .. times .. (#sums > 0 and ',' .. table.concat(sums, ',') or '')
`)

/**
 * Replaces one value if it still is what the caller believes.
 *
 * - KEYS: the record
 * - ARGV: generation or nothing, name, the text before (nothing: absent, `=` and the text), the text after
 * - reply: `gone`, `stale`, `newer`, `corrupt`, `1`, or `0` if it is another by now
 */
export const SWAP: Script = script(`${RECORD}
local r, why = open()
if not r then return why end
if ARGV[1] ~= '' and tonumber(ARGV[1]) < r.fence then return 'stale' end
local text = read(r.rest, ARGV[2])
if (text and '=' .. text or '') ~= ARGV[3] then return '0' end
if ARGV[4] ~= ARGV[3] then
  r.rest = put(r.rest, ARGV[2], ARGV[4] ~= '' and sub(ARGV[4], 2))
  save(r)
end
return '1'
`)

/**
 * Reads and removes one value.
 *
 * - KEYS: the record
 * - ARGV: generation or nothing, name
 * - reply: `=` and the text, `newer`, `corrupt`; anything else: there is none for the caller
 */
export const TAKE: Script = script(`${RECORD}
local r, why = open()
if not r then return why end
if ARGV[1] ~= '' and tonumber(ARGV[1]) < r.fence then return 'stale' end
local text = read(r.rest, ARGV[2])
if not text then return 'gone' end
r.rest = put(r.rest, ARGV[2], false)
save(r)
return '=' .. text
`)

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
