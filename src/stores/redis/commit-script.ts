import { BUCKET, CLOCK, RECORD } from './lua.ts'
import { script } from './script.ts'
import type { Script } from './script.ts'

/**
 * Applies a change to a record, all or nothing.
 *
 * - KEYS: the record; for a change that may be told, the registry and the events of its bucket
 * - ARGV: with `,` between: at, generation, expiresAt, deadline or nothing, `renew` or `fence` or
 *   nothing, rememberFor (nothing: as it is, `-`: removed), `1` to clear, how many names to expect, to
 *   unset, to set, the time of the server after which it is too late, or nothing; the user (nothing: as it is, `-`: removed, `=` and the user); the names that are
 *   expected, each with nothing, or `=` and its text; the names to unset; those to set, each with its
 *   text; the others, each with the integer to add; with a registry, the session
 * - reply: `gone`, `stale`, `late`, `newer`, `corrupt`, `conflict`; `number,` and the place in the last list of
 *   what is no integer; or the time of the server, expiresAt, deadline, generation and the sums each after
 *   `,`; then, if the change has a user or a deadline, U+0000 and, after `=`, who was logged in before it
 */
export const COMMIT: Script = script(`${RECORD}${CLOCK}${BUCKET}
local LARGEST = 9007199254740991

local function integer(text)
  if text == '0' then return 0 end
  if #text > 17 or not find(text, '^%-?[1-9]%d*$') then return nil end
  local number = tonumber(text)
  return number >= -LARGEST and number <= LARGEST and number or nil
end

local text, stop, times, fence, rest = open()
if not text then return stop end
local at, opened, asked, ends, rotate, keep, clear, expect, unset, set, latest = string.match(ARGV[1],
  '^(%d+),(%d+),(%d+),(%d*),(%a*),([%d-]*),(%d?),(%d+),(%d+),(%d+),(%d*)$')
if tonumber(opened) < tonumber(fence) then return 'stale' end
local generation = sub(times, 40)
local now, ahead = clock(at)
if latest ~= '' and now > latest then return 'late' end
local owner = byte(text, stop + 1) == 117 and sub(text, stop + 2, find(text, '\\0', stop + 1, true) - 1)

local place = 3
for _ = 1, expect do
  if not holds(ARGV[place + 1], text, locate(text, ARGV[place], stop)) then return 'conflict' end
  place = place + 2
end
if clear ~= '' then text = sub(text, 1, find(text, '\\0\\1', stop, true) or -1) end

-- What each changed name holds in the end: a text, or false for none.
local wanted, order = {}, {}
for _ = 1, unset do
  if wanted[ARGV[place]] == nil then order[#order + 1] = ARGV[place] end
  wanted[ARGV[place]] = false
  place = place + 1
end
for _ = 1, set do
  if wanted[ARGV[place]] == nil then order[#order + 1] = ARGV[place] end
  wanted[ARGV[place]] = ARGV[place + 1]
  place = place + 2
end
local sums = ''
for n = place, #ARGV - 1, 2 do
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

local grows = rotate == 'fence' or rotate == 'renew' and generation == opened
if grows or ARGV[2] ~= '' or keep ~= '' then
  local login, remember, renewed = '', '', ''
  if rest ~= '' then login, remember, renewed = string.match(rest, '^,%d*,(%-?%d*),(%d*),(%-?%d*)$') end
  if not login then return 'corrupt' end
  local since = string.format('%.0f', at + ahead - sub(times, 27, 39))
  if grows then
    generation, renewed = string.format('%.0f', generation + 1), since
    if rotate == 'fence' then fence = generation end
  end
  if ARGV[2] ~= '' then login = ARGV[2] ~= '-' and since or '' end
  if keep ~= '' then remember = keep == '-' and '' or keep end
  rest = ',' .. (fence == generation and '' or fence) .. ',' .. login .. ',' .. remember .. ',' .. renewed
  if rest == ',,,,' then rest = '' end
end

local header = 's1' .. expires .. deadline .. sub(times, 27, 39) .. generation .. rest .. '\\0'
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
if KEYS[2] then
  local id = ARGV[#ARGV]
  if ends ~= '' then register(KEYS[2], id, expires, deadline, now) end
  if ARGV[2] ~= '' or rotate == 'fence' then
    local user = owner
    if ARGV[2] ~= '' then user = ARGV[2] ~= '-' and sub(ARGV[2], 2) end
    tell(KEYS[3], 'elevated', id, now, user)
  elseif grows then
    tell(KEYS[3], 'renewed', id, now, owner)
  end
end
local reply = now .. shift(expires, -ahead) .. shift(deadline, -ahead) .. generation .. sums
if ARGV[2] == '' and ends == '' then return reply end
return reply .. '\\0' .. (owner and '=' .. owner or '')
`)
