import { createHash } from 'node:crypto'

/** A Lua script with the name by which Redis remembers it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/**
 * Lua for scripts that read a record. Only plain searches go through one: what U+0000 is in patterns
 * depends on the version of Lua. Times have 13 digits and are compared as text.
 */
export const RECORD = `
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

-- Whether a value is what a caller believes: nothing for none, or = and the text.
local function holds(believed, text, first, last)
  return believed == (first and '=' .. sub(text, first, last) or '')
end

-- The bytes to replace, from and to, so that the name holds a text, or false for none; and by what.
local function edit(name, wanted, first, last, before)
  if not first then return nil, nil, wanted and '\\1' .. name .. '\\0\\2' .. wanted .. '\\0' end
  if wanted then return first, last, wanted end
  return before + 1, last + 1, ''
end
`

/**
 * Lua for scripts that write times. Clocks that differ by at most a second count as one: what is
 * stored are then the times of the process as they are.
 */
export const CLOCK = `
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
if not holds(ARGV[3], text, first, last) then return '0' end
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

/** The script of a text. */
export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
