import { script } from './script.ts'
import type { Script } from './script.ts'

/** How many values a call of {@link SET_VALUES} may have: it goes through the record once for each. */
export const MOST_VALUES = 4

/**
 * Sets values and moves the idle deadline, as COMMIT does: the change of most requests that write, which
 * takes Redis two thirds of the time this way. It makes no functions, and takes apart only what it needs.
 *
 * - KEYS: the record
 * - ARGV: at and expiresAt with 13 digits each and the generation, as one text; then each name and its text
 * - reply: as of COMMIT
 */
export const SET_VALUES: Script = script(`
local find, sub, byte = string.find, string.sub, string.byte
local key, call = KEYS[1], ARGV[1]
local text = redis.call('GET', key)
if not text then return 'gone' end
local _, stop, times, fence = find(text, '^s1(%d+),?(%d*)[-,%d]*')
if not times or #times < 40 or byte(text, stop + 1) ~= 0 or byte(text, -1) ~= 0 then
  return find(text, '^s[2-9a-z]') and 'newer' or 'corrupt'
end
local opened, generation = sub(call, 27), sub(times, 40)
if fence == '' then fence = generation end
if opened ~= fence and tonumber(opened) < tonumber(fence) then return 'stale' end

local time = redis.call('TIME')
local now = string.format('%s%03d', time[1], time[2] / 1000)
local asked, ahead = sub(call, 14, 26), now - sub(call, 1, 13)
local isSkewed = ahead < -1000 or ahead > 1000
if isSkewed then asked = string.format('%013.0f', math.max(1, asked + ahead)) end
local expires, deadline = sub(times, 1, 13), sub(times, 14, 26)
if asked > deadline then asked = deadline end
if asked > expires then expires = asked end

-- The record from its byte 16 on is behind its version and expiresAt, which the first value brings with it.
local head, from = 's1' .. expires, 16
for n = 2, #ARGV, 2 do
  local value = ARGV[n + 1]
  local before, last = find(text, '\\0\\1' .. ARGV[n] .. '\\0\\2', stop, true)
  local after = before and find(text, '\\0', last + 1, true)
  if not before then
    text = head .. sub(text, from) .. '\\1' .. ARGV[n] .. '\\0\\2' .. value .. '\\0'
  elseif #ARGV == 3 and after - last - 1 == #value then
    -- What keeps its place is overwritten there, which costs little and tells replicas little.
    redis.call('SETRANGE', key, last, value)
    redis.call('SETRANGE', key, 2, expires)
    redis.call('PEXPIREAT', key, expires)
    text = nil
  else
    text = head .. sub(text, from, last) .. value .. sub(text, after)
  end
  head, from = '', 1
end
if text then redis.call('SET', key, head .. sub(text, from), 'PXAT', expires) end
if isSkewed then
  expires = string.format('%013.0f', math.max(1, expires - ahead))
  deadline = string.format('%013.0f', math.max(1, deadline - ahead))
end
return now .. expires .. deadline .. generation
`)
