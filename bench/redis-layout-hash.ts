/**
 * The layout that lost: one hash per session. The field `#` holds the header, `.name` holds a value.
 * It is kept to be measured against the packed one (see docs/decisions/0001-redis-layout.md), with all
 * that costs time: fence, rotation, idle deadline, sums, user, time to live.
 *
 * @module
 */

import type { SessionChange, SessionRecord, Touch } from '../src/store.ts'
import { createHash } from 'node:crypto'

type Send = (args: string[]) => Promise<unknown>

const HEADER = `
local format = string.format
local function clock(at)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local ahead = now - at
  if ahead >= -1000 and ahead <= 1000 then ahead = 0 end
  return format('%.0f', now), ahead
end
local function parse(header)
  local expires, created, life, generation, renewed, fence, login, remember, rest = string.match(header,
    '^s1(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%-?%d+),(%d+),(%-?%d+),(%d+),(%-?%d*),(%d*);(.*)$')
  created = tonumber(created)
  return { expires = tonumber(expires), created = created, deadline = created + tonumber(life),
    generation = tonumber(generation), renewed = created + tonumber(renewed), fence = tonumber(fence),
    login = login, remember = remember, rest = rest }
end
local function save(r)
  redis.call('HSET', KEYS[1], '#', format('s1%013.0f%013.0f%.0f,%.0f,%.0f,%.0f,%s,%s;%s', r.expires, r.created,
    r.deadline - r.created, r.generation, r.renewed - r.created, r.fence, r.login, r.remember, r.rest))
  redis.call('PEXPIREAT', KEYS[1], format('%.0f', r.expires))
end
`

const CREATE = `${HEADER}
if redis.call('EXISTS', KEYS[1]) == 1 then return '0' end
local now = clock(tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], '#', ARGV[3], unpack(ARGV, 4))
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return now
`

const LOAD = `${HEADER}
local all = redis.call('HGETALL', KEYS[1])
if #all == 0 then return nil end
if ARGV[1] then
  local now, ahead = clock(tonumber(ARGV[1]))
  for i = 1, #all, 2 do
    if all[i] == '#' then
      local r = parse(all[i + 1])
      if r.generation == tonumber(ARGV[2]) and r.expires < tonumber(ARGV[4]) + ahead then
        r.expires = math.min(math.max(r.expires, tonumber(ARGV[3]) + ahead), r.deadline)
        save(r)
      end
    end
  end
end
return all
`

const COMMIT = `${HEADER}
local header = redis.call('HGET', KEYS[1], '#')
if not header then return 'gone' end
local r = parse(header)
local generation = tonumber(ARGV[2])
if generation < r.fence then return 'stale' end
local at = tonumber(ARGV[1])
local now, ahead = clock(at)
at = at + ahead
local place = 11
local unset, set = tonumber(ARGV[9]), tonumber(ARGV[10])
local from = place + unset + 2 * set
local sums = {}
for i = from, #ARGV, 2 do
  local text = redis.call('HGET', KEYS[1], '.' .. ARGV[i]) or '0'
  if not string.match(text, '^%-?%d+$') then return 'number' end
  local sum = tonumber(text) + tonumber(ARGV[i + 1])
  if math.abs(sum) > 9007199254740991 then return 'number' end
  sums[#sums + 1] = format('%.0f', sum)
end
for i = place, place + unset - 1 do redis.call('HDEL', KEYS[1], '.' .. ARGV[i]) end
for i = place + unset, from - 1, 2 do redis.call('HSET', KEYS[1], '.' .. ARGV[i], ARGV[i + 1]) end
for i = from, #ARGV, 2 do redis.call('HSET', KEYS[1], '.' .. ARGV[i], sums[(i - from) / 2 + 1]) end
local asked = tonumber(ARGV[3]) + ahead
if ARGV[4] ~= '' then r.deadline = tonumber(ARGV[4]) + ahead elseif asked < r.expires then asked = r.expires end
r.expires = math.min(asked, r.deadline)
if ARGV[5] == 'fence' or ARGV[5] == 'renew' and r.generation == generation then
  r.generation, r.renewed = r.generation + 1, at
  if ARGV[5] == 'fence' then r.fence = r.generation end
end
save(r)
return now .. format(',%.0f,%.0f,%.0f', r.generation, r.expires, r.deadline) .. table.concat(sums, ',')
`

/** A session as one hash, for measuring. */
export class HashLayout {
  readonly #send: Send
  readonly #folded: boolean
  readonly #shas = new Map<string, string>()

  /** @param folded - whether the load is a script with the touch in it, or a plain HGETALL */
  constructor(send: Send, folded: boolean) {
    this.#send = send
    this.#folded = folded
  }

  async create(id: string, record: SessionRecord): Promise<void> {
    const { createdAt, expiresAt, deadline, user = '', client } = record
    const rest = `${user}\0${client?.userAgent ?? ''}\0${client?.address ?? ''}`
    const header = `s1${expiresAt}${createdAt}${deadline - createdAt},0,0,0,,;${rest}`
    const values = [...record.values].flatMap(([name, text]) => [`.${name}`, text])
    await this.#run(CREATE, id, [`${createdAt}`, `${expiresAt}`, header, ...values])
  }

  async load(id: string, touch: Touch): Promise<SessionRecord | undefined> {
    const reply = this.#folded
      ? await this.#run(
          LOAD,
          id,
          [touch.at, touch.generation, touch.expiresAt, touch.whenBefore].map(String),
        )
      : await this.#send(['HGETALL', `sojourn:${id}`])
    const values = valuesOf(reply)
    const header =
      /^s1(\d{13})(\d{13})(-?\d+),(\d+),(-?\d+),(\d+),(-?\d*),(\d*);([^\0]*)\0([^\0]*)\0(.*)$/s.exec(
        values.get('#') ?? '',
      )
    if (header === null) return undefined
    values.delete('#')
    const createdAt = Number(header[2])
    return {
      createdAt,
      expiresAt: Number(header[1]),
      deadline: createdAt + Number(header[3]),
      generation: Number(header[4]),
      renewedAt: createdAt + Number(header[5]),
      fence: Number(header[6]),
      user: header[9] ?? '',
      client: { userAgent: header[10] ?? '', address: header[11] ?? '' },
      values,
    }
  }

  async commit(id: string, change: SessionChange): Promise<unknown> {
    const { at, generation, expiresAt, deadline = '', rotate = '', unset, set, add } = change
    const head = [
      at,
      generation,
      expiresAt,
      deadline,
      rotate,
      '',
      '',
      '',
      unset.length,
      set.size,
    ].map(String)
    const sums = [...add].flatMap(([name, by]) => [name, `${by}`])
    return this.#run(COMMIT, id, [...head, ...unset, ...[...set].flat(), ...sums])
  }

  #run(script: string, id: string, args: string[]): Promise<unknown> {
    const sha = this.#shas.get(script)
    if (sha !== undefined) return this.#send(['EVALSHA', sha, '1', `sojourn:${id}`, ...args])
    this.#shas.set(script, createHash('sha1').update(script).digest('hex'))
    return this.#send(['EVAL', script, '1', `sojourn:${id}`, ...args])
  }
}

// RESP3 answers HGETALL with an object and a script with a list.
function valuesOf(reply: unknown): Map<string, string> {
  const values = new Map<string, string>()
  if (Array.isArray(reply)) {
    for (let i = 0; i < reply.length; i += 2)
      values.set(nameOf(String(reply[i])), String(reply[i + 1]))
    return values
  }
  for (const [name, text] of Object.entries(reply as object)) values.set(nameOf(name), String(text))
  return values
}

function nameOf(field: string): string {
  return field === '#' ? field : field.slice(1)
}
