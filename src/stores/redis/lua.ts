/** How many events a bucket keeps, about. */
export const MOST_EVENTS = 2000

/**
 * Lua for scripts that read a record. Only plain searches go through one: what U+0000 is in patterns
 * depends on the version of Lua. The first three times have 13 digits and are compared as text.
 */
export const RECORD = `
local find, sub, byte = string.find, string.sub, string.byte

-- The text of the record under KEYS[1], the place of the U+0000 that ends its header, and what is in
-- the header: the three times and the generation as one text, the fence, and what is after the
-- generation. Or false and why not: gone, newer, corrupt.
local function open()
  local text = redis.call('GET', KEYS[1])
  if not text then return false, 'gone' end
  local times, rest, stop = string.match(text, '^s1(%d+)([-,%d]*)()')
  if times and #times > 39 and byte(text, stop) == 0 and byte(text, -1) == 0 then
    return text, stop, times, string.match(rest, '^,(%d+)') or sub(times, 40), rest
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
 * Lua for scripts that keep the registry of a bucket and its events.
 *
 * The registry has the end of a session as it was noted last. Nobody notes that a session was extended:
 * who comes for it when it was to end finds it alive, and notes the new end.
 */
export const BUCKET: string = `
-- Adds an event, if anybody listens: only who listens makes a stream.
local function tell(stream, type, id, at, user)
  if user then
    redis.call('XADD', stream, 'NOMKSTREAM', 'MAXLEN', '~', ${MOST_EVENTS}, '*', 'type', type, 'id', id, 'at', at, 'user', user)
  else
    redis.call('XADD', stream, 'NOMKSTREAM', 'MAXLEN', '~', ${MOST_EVENTS}, '*', 'type', type, 'id', id, 'at', at)
  end
end

-- Notes when a session ends. The registry lives for as long as any of its sessions can, and somewhat
-- longer, so that not every session moves its end. True if the session was not in it.
local function register(registry, id, expires, deadline, now)
  local isNew = redis.call('ZADD', registry, expires, id) == 1
  if redis.call('PTTL', registry) < deadline - now then
    redis.call('PEXPIREAT', registry, string.format('%.0f', deadline + 3600000))
  end
  return isNew
end
`

/** Lua for scripts that want to know of a record only who is logged in. */
export const OWNER = `
-- The text after the header of a record that says who is logged in; nil for nobody, or no record.
local function ownerOf(text)
  local stop = string.find(text, '^s1') and string.find(text, '\\0', 1, true)
  if not stop or string.byte(text, stop + 1) ~= 117 then return nil end
  local last = string.find(text, '\\0', stop + 2, true)
  return last and string.sub(text, stop + 2, last - 1), not last
end

-- Who is logged in to the record under a key; nil for nobody, or no record.
local function owner(key)
  local head = redis.pcall('GETRANGE', key, 0, 511)
  if type(head) ~= 'string' then return nil end
  local user, isCut = ownerOf(head)
  if isCut then user = ownerOf(redis.call('GET', key)) end
  return user
end
`
