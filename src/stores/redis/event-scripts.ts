/**
 * Scripts about the events of one bucket, which are a stream. Only who listens makes it, and keeps it for a
 * while: without listeners there is none, and nothing is written to it.
 *
 * The members of a group share one consumer of the stream. Who has an event has it for a time: what was
 * delivered so long ago, and not acknowledged since, is delivered to the next who asks.
 *
 * @module
 */

import { MOST_EVENTS } from './lua.ts'
import { script } from './script.ts'
import type { Script } from './script.ts'

const STREAM = `
local stream = KEYS[1]

-- Makes the stream if need be, and sees to it that it lives for so many ms from now on.
local function keep(ms)
  if redis.call('EXISTS', stream) == 0 then redis.call('XADD', stream, 'MAXLEN', 0, '*', 'type', 'none') end
  if redis.call('PTTL', stream) < ms then redis.call('PEXPIRE', stream, ms) end
end

-- The text of a name in a flat list of names and texts.
local function field(list, name)
  for n = 1, #list, 2 do
    if list[n] == name then return list[n + 1] end
  end
end

-- An entry as a part of a reply: where it stands, type, session, time, user after = or nothing.
local function textOf(entry)
  local fields, user = entry[2], field(entry[2], 'user')
  return table.concat({ entry[1], field(fields, 'type') or '', field(fields, 'id') or '', field(fields, 'at') or '',
    user and '=' .. user or '' }, '\\0')
end
`

const GROUP = `
local group = ARGV[1]

-- Makes the group, from a place of the stream on; it lives for a while longer than half of so many ms.
local function join(from, ms)
  keep(ms / 2)
  redis.pcall('XGROUP', 'CREATE', stream, group, from)
  if redis.call('PTTL', stream) < ms then redis.call('PEXPIRE', stream, ms) end
end

-- For how many ms an event is taken that was delivered so often, if nothing else is said.
local function term(deliveries, lease)
  return math.max(lease, math.min(500 * 2 ^ (deliveries - 1), 60000))
end
`

/**
 * Reads what was told.
 *
 * - KEYS: the events
 * - ARGV: where to go on, or nothing to begin at the end; how many events at most; ms for which the
 *   stream is kept, or nothing
 * - reply: at the beginning the place of the end; else the events, five parts each, with U+0000 between
 */
export const READ: Script = script(`${STREAM}
if ARGV[3] ~= '' then keep(tonumber(ARGV[3])) end
if ARGV[1] == '' then return field(redis.call('XINFO', 'STREAM', stream), 'last-generated-id') end
local found = {}
for n, entry in ipairs(redis.call('XRANGE', stream, '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  found[n] = textOf(entry)
end
return table.concat(found, '\\0')
`)

/**
 * Begins a group at the end of the stream. One that exists stays as it is.
 *
 * - KEYS: the events
 * - ARGV: the group, ms for which the stream is kept
 * - reply: nothing
 */
export const JOIN: Script = script(`${STREAM}${GROUP}
join('$', tonumber(ARGV[2]))
return ''
`)

/**
 * Looks whether there may be an event for a group, and keeps the stream for it.
 *
 * - KEYS: the events
 * - ARGV: the group, ms for which the stream is kept, ms for which events are taken
 * - reply: `1` or `0`
 */
export const LOOK: Script = script(`${STREAM}${GROUP}
local found
for _, each in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
  if field(each, 'name') == group then found = each end
end
if not found then
  join('0', tonumber(ARGV[2]))
  return '1'
end
if redis.call('PTTL', stream) < ARGV[2] / 2 then redis.call('PEXPIRE', stream, ARGV[2]) end
if field(found, 'last-delivered-id') ~= field(redis.call('XINFO', 'STREAM', stream), 'last-generated-id') then return '1' end
if field(found, 'pending') == 0 then return '0' end
return redis.call('XPENDING', stream, group, 'IDLE', ARGV[3], '-', '+', 1)[1] and '1' or '0'
`)

/**
 * Takes an event for a group: one that was taken for long enough, or else the next one.
 *
 * - KEYS: the events
 * - ARGV: the group, ms for which the event is taken
 * - reply: nothing, or how often the event was handed out, U+0000 and the five parts of the event
 */
export const TAKE_EVENT: Script = script(`${STREAM}${GROUP}
local lease = tonumber(ARGV[2])
local pending = redis.pcall('XPENDING', stream, group, 'IDLE', lease, '-', '+', 100)
if pending.err then return '' end
for _, each in ipairs(pending) do
  local id, idle, tries = each[1], each[3], each[4]
  if idle >= term(tries, lease) then
    local taken = redis.call('XCLAIM', stream, group, 'sojourn', 0, id, 'IDLE', term(tries + 1, lease) - lease,
      'RETRYCOUNT', tries + 1)[1]
    if taken then return tries + 1 .. '\\0' .. textOf(taken) end
    redis.call('XACK', stream, group, id)
  end
end
local read = redis.call('XREADGROUP', 'GROUP', group, 'sojourn', 'COUNT', 1, 'STREAMS', stream, '>')
local entry = read and read[1] and read[1][2][1]
return entry and '1\\0' .. textOf(entry) or ''
`)

/**
 * Moves the time until which an event is taken, if it is not finished.
 *
 * - KEYS: the events
 * - ARGV: the group, ms for which events are taken, the place of the event, how often it was handed out, ms
 *   for which it is taken from now on
 * - reply: nothing
 */
export const POSTPONE: Script = script(`${STREAM}${GROUP}
local tries = tonumber(ARGV[4])
local idle = math.max(0, term(tries, tonumber(ARGV[2])) - ARGV[5])
redis.pcall('XCLAIM', stream, group, 'sojourn', 0, ARGV[3], 'IDLE', idle, 'RETRYCOUNT', tries, 'JUSTID')
return ''
`)

/** The command that tells an event, if anybody listens. */
export function tellCommand(stream: string, fields: readonly string[]): string[] {
  return ['XADD', stream, 'NOMKSTREAM', 'MAXLEN', '~', `${MOST_EVENTS}`, '*', ...fields]
}
