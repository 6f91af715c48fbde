/**
 * Scripts about the sessions of one user, which have keys of their own slot: no script can look at a
 * session and at these at once.
 *
 * A session is added before its record says whose it is, so the record is what counts: a session that
 * is listed and is not the user's is removed by whoever finds it. It must not be one that a login has
 * just added and whose record is about to follow: those are fresh, and are not removed.
 *
 * @module
 */

import { CLOCK } from './lua.ts'
import { script } from './script.ts'
import type { Script } from './script.ts'

const SESSIONS = `
-- Adds a session, for as long as it can live, and protects it for a while.
local function add(id, deadline, now, protect)
  redis.call('ZADD', KEYS[1], 'GT', deadline, id)
  if redis.call('PTTL', KEYS[1]) < deadline - now then redis.call('PEXPIREAT', KEYS[1], deadline) end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  redis.call('ZADD', KEYS[2], now + protect, id)
  redis.call('PEXPIRE', KEYS[2], protect)
end
`

/**
 * Adds a session to those of a user.
 *
 * - KEYS: the sessions of the user, the fresh ones
 * - ARGV: at, the session, its deadline, ms for which it counts as fresh
 * - reply: the time of the server
 */
export const ENTER: Script = script(`${CLOCK}${SESSIONS}
local now, ahead = clock(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
add(ARGV[2], shift(ARGV[3], ahead), now, ARGV[4])
return now
`)

/**
 * Removes sessions that were seen not to be the user's, unless they are fresh.
 *
 * - KEYS: the sessions of the user, the fresh ones
 * - ARGV: the sessions
 * - reply: the time of the server
 */
export const LEAVE: Script = script(`${CLOCK}
local now = clock(0)
for n = 1, #ARGV do
  local protected = redis.call('ZSCORE', KEYS[2], ARGV[n])
  if not protected or tonumber(protected) <= tonumber(now) then redis.call('ZREM', KEYS[1], ARGV[n]) end
end
return now
`)

/**
 * Begins a login that keeps the limit of sessions: one login of the user after the other. If there is
 * room whoever the sessions belong to, the session is added at once.
 *
 * - KEYS: the sessions of the user, the fresh ones, the lock
 * - ARGV: at, the session, its deadline, ms for which it counts as fresh, the name of this login, ms until
 *   another login may begin, how many sessions there may be
 * - reply: `busy`; or the time of the server, and if it was not added the other sessions, each after U+0000
 */
export const ADMIT: Script = script(`${CLOCK}${SESSIONS}
if not redis.call('SET', KEYS[3], ARGV[5], 'NX', 'PX', ARGV[6]) then return 'busy' end
local now, ahead = clock(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZSCORE', KEYS[1], ARGV[2]) and 1 or 0
if redis.call('ZCARD', KEYS[1]) - known < tonumber(ARGV[7]) then
  add(ARGV[2], shift(ARGV[3], ahead), now, ARGV[4])
  return now
end
local reply = { now }
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if id ~= ARGV[2] then reply[#reply + 1] = id end
end
return table.concat(reply, '\\0')
`)

/**
 * Lets the next login of the user begin.
 *
 * - KEYS: the lock
 * - ARGV: the name of the login that ends
 * - reply: the time of the server
 */
export const RELEASE: Script = script(`${CLOCK}
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return (clock(0))
`)
