import { BUCKET, CLOCK, OWNER, RECORD } from './lua.ts'
import { script } from './script.ts'
import type { Script } from './script.ts'

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
 * - KEYS: the record; the registry and the events of its bucket, or none
 * - ARGV: at, the text of the record, who is logged in (nothing: nobody, or `=` and the user); with a
 *   registry, the session
 * - reply: `newer`, or the time of the server, `,` and `1`, or `0` if there is a record already; then `,`
 *   if many sessions of the bucket are due
 */
export const CREATE: Script = script(`${CLOCK}${BUCKET}
local text, sub = ARGV[2], string.sub
local now, ahead = clock(ARGV[1])
if ahead ~= 0 then
  local times = {}
  for place = 3, 29, 13 do times[#times + 1] = shift(sub(text, place, place + 12), ahead) end
  text = 's1' .. table.concat(times) .. sub(text, 42)
end
if not redis.call('SET', KEYS[1], text, 'NX', 'PXAT', sub(text, 3, 15)) then
  if string.find(redis.call('GETRANGE', KEYS[1], 0, 1), '^s[2-9a-z]') then return 'newer' end
  return now .. ',0'
end
local registry = KEYS[2]
if not registry then return now .. ',1' end
local id = ARGV[4]
if not register(registry, id, sub(text, 3, 15), sub(text, 16, 28), now) then
  tell(KEYS[3], 'expired', id, now)
end
tell(KEYS[3], 'created', id, now, ARGV[3] ~= '' and sub(ARGV[3], 2))
local due = redis.call('ZRANGEBYSCORE', registry, '-inf', now, 'LIMIT', 19, 1)
return now .. (due[1] and ',1,' or ',1')
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
local times = string.match(redis.call('GETRANGE', KEYS[1], 0, 99), '^s1(%d+)')
if not times or string.sub(times, 40) ~= ARGV[2] then return now end
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

/**
 * Ends a session. What is under the key is removed whatever it is.
 *
 * - KEYS: the record; the registry and the events of its bucket, or none
 * - ARGV: `destroyed` or `evicted`; the user who must be logged in (nothing: anybody, or `=` and the user);
 *   with a registry, the session
 * - reply: the time of the server, `,` and `1`, or `0` if there was none; then who was logged in, after `=`
 */
export const DESTROY: Script = script(`${CLOCK}${BUCKET}${OWNER}
local now = clock(0)
local user = owner(KEYS[1])
if ARGV[2] ~= '' and ARGV[2] ~= '=' .. (user or '') then return now .. ',0' end
local ended = redis.call('DEL', KEYS[1]) == 1
if KEYS[2] then
  local id = ARGV[3]
  local isKnown = redis.call('ZREM', KEYS[2], id) == 1
  if ended then tell(KEYS[3], ARGV[1], id, now, user)
  elseif isKnown then tell(KEYS[3], 'expired', id, now) end
end
return now .. (ended and ',1' or ',0') .. (user and '=' .. user or '')
`)

/**
 * Notes when a session ends.
 *
 * - KEYS: the registry of its bucket
 * - ARGV: at, the session, expiresAt, deadline
 * - reply: the time of the server
 */
export const NOTE: Script = script(`${CLOCK}${BUCKET}
local now, ahead = clock(ARGV[1])
register(KEYS[1], ARGV[2], shift(ARGV[3], ahead), shift(ARGV[4], ahead), now)
return now
`)

/**
 * Looks after sessions whose end may have come: those that have ended leave the registry and are told
 * as expired, once; of the others the new end is noted.
 *
 * - KEYS: the registry and the events of a bucket, then records of it
 * - ARGV: the sessions, in the order of their records
 * - reply: for each record `1` if it lives, else `0`
 */
export const SETTLE: Script = script(`${CLOCK}${BUCKET}
local now = clock(0)
local living = {}
for n = 3, #KEYS do
  local id = ARGV[n - 2]
  local left = redis.call('PTTL', KEYS[n])
  if left == -2 then
    if redis.call('ZREM', KEYS[1], id) == 1 then tell(KEYS[2], 'expired', id, now) end
    living[#living + 1] = '0'
  else
    local noted = redis.call('ZSCORE', KEYS[1], id)
    if noted and tonumber(noted) <= tonumber(now) then
      if left < 1 then left = 1000 end
      redis.call('ZADD', KEYS[1], string.format('%.0f', now + left), id)
    end
    living[#living + 1] = '1'
  end
end
return table.concat(living)
`)

/**
 * Looks whose sessions they are.
 *
 * - KEYS: records of one bucket
 * - ARGV: a user
 * - reply: for each record, before a `,`: when it ends if it is the user's, `-` if it is not, `?` if it is
 *   not known because this version cannot read the record
 */
export const OWNED: Script = script(`${OWNER}
local found = {}
for n = 1, #KEYS do
  local head = redis.pcall('GETRANGE', KEYS[n], 0, 14)
  if type(head) ~= 'string' then found[n] = '?,'
  elseif head == '' then found[n] = '-,'
  elseif string.sub(head, 1, 2) ~= 's1' then found[n] = '?,'
  elseif owner(KEYS[n]) == ARGV[1] then found[n] = string.sub(head, 3) .. ','
  else found[n] = '-,' end
end
return table.concat(found)
`)
