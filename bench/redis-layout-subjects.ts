import { createHash } from 'node:crypto'
import { Deadlines } from '../src/deadline.ts'
import type { SessionChange, SessionId, SessionRecord, Touch } from '../src/store.ts'
import { RedisStore, type RedisClient } from '../src/stores/redis.ts'
import { Keys } from '../src/stores/redis/keys.ts'
import { unpack } from '../src/stores/redis/packed.ts'
import { HashLayout } from './redis-layout-hash.ts'

type Send = (args: string[]) => Promise<unknown>

/** One way to keep a session, as the measuring program drives it. */
export interface Subject {
  readonly name: string
  create(id: string, record: SessionRecord): Promise<unknown>
  /** Loads a session and reads one value of it. */
  load(id: string, touch: Touch): Promise<unknown>
  /** Replaces one value. */
  commit(id: string, text: string): Promise<unknown>
}

const HOUR = 3_600_000
const keys = new Keys('sojourn:')
const NAME = 'name7'
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'

/** Everything that is compared. */
export function subjects(client: RedisClient, send: Send): readonly Subject[] {
  const deadlines = new Deadlines(2000, 'Redis')
  const limited: Send = (args) => deadlines.limit('call', send(args))
  return [
    packed('packed, GET', new RedisStore(client)),
    { ...packed('packed, load script', new RedisStore(client)), load: loadByScript(limited) },
    hashed('hash, load script', new HashLayout(limited, true)),
    hashed('hash, HGETALL', new HashLayout(limited, false)),
    json('JSON, whole', send),
    raw('raw GET / SET', send),
  ]
}

/** A session with 20 values, as visitors have them, of about so many bytes. */
export function sample(bytes: number, character = 'x'): SessionRecord {
  const now = Date.now()
  const text = JSON.stringify(character.repeat(Math.max(1, Math.floor(bytes / 20) - 12)))
  const values = new Map(Array.from({ length: 20 }, (_, n) => [`name${n}`, text]))
  return record(now, values)
}

/** A session of a visitor who did little: two short values. */
export function small(): SessionRecord {
  return record(
    Date.now(),
    new Map([
      ['login', '"alice"'],
      ['views', '3'],
    ]),
  )
}

/** A touch that is due, or not. */
export function touch(due: boolean): Touch {
  const at = Date.now()
  const whenBefore = due ? at + 3 * HOUR : at + 0.9 * HOUR
  return {
    generation: 0,
    at,
    expiresAt: due ? at + HOUR + Math.random() * 1000 : at + HOUR,
    whenBefore,
  }
}

function record(now: number, values: ReadonlyMap<string, string>): SessionRecord {
  const times = { createdAt: now, expiresAt: now + HOUR, deadline: now + 24 * HOUR, renewedAt: now }
  const client = { userAgent: AGENT, address: '203.0.113.77' }
  return { ...times, generation: 0, fence: 0, user: 'user-1234', client, values }
}

function change(text: string): SessionChange {
  const at = Date.now()
  const set = new Map([[NAME, text]])
  return { generation: 0, at, expiresAt: at + HOUR, set, unset: [], add: new Map() }
}

function packed(name: string, store: RedisStore): Subject {
  return {
    name,
    create: (id, session) => store.create(id as SessionId, session),
    load: async (id, due) => (await store.load(id as SessionId, due))?.values.get(NAME),
    commit: (id, text) => store.commit(id as SessionId, change(text)),
  }
}

function hashed(name: string, layout: HashLayout): Subject {
  return {
    name,
    create: (id, session) => layout.create(id, session),
    load: async (id, due) => (await layout.load(id, due))?.values.get(NAME),
    commit: (id, text) => layout.commit(id, change(text)),
  }
}

const LOAD = `
local format = string.format
local text = redis.call('GET', KEYS[1])
if not text then return nil end
local time = redis.call('TIME')
local ahead = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]
if ahead >= -1000 and ahead <= 1000 then ahead = 0 end
local expires, created, life, generation = string.match(text,
  '^s1(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%d%d%d%d%d%d%d%d%d%d%d%d%d)(%-?%d+),(%d+),')
if generation == ARGV[2] and tonumber(expires) < tonumber(ARGV[4]) + ahead then
  local asked = math.min(tonumber(ARGV[3]) + ahead, tonumber(created) + tonumber(life))
  if asked > tonumber(expires) then
    redis.call('SETRANGE', KEYS[1], 2, format('%013.0f', asked))
    redis.call('PEXPIREAT', KEYS[1], format('%.0f', asked))
  end
end
return text
`

// The other way to touch: in the script that loads, which then is no plain GET.
function loadByScript(send: Send): Subject['load'] {
  const sha = createHash('sha1').update(LOAD).digest('hex')
  const loaded = send(['SCRIPT', 'LOAD', LOAD])
  return async (id, { at, generation, expiresAt, whenBefore }) => {
    await loaded
    const args = [at, generation, Math.floor(expiresAt), Math.floor(whenBefore)].map(String)
    const text = await send(['EVALSHA', sha, '1', keys.record(id as SessionId), ...args])
    return unpack(String(text)).values.get(NAME)
  }
}

function json(name: string, send: Send): Subject {
  return {
    name,
    create: (id, session) => send(['SET', keyOf(id), textOf(session), 'EX', '3600']),
    load: async (id) => read(await send(['GET', keyOf(id)]))[NAME],
    async commit(id, text) {
      const session = read(await send(['GET', keyOf(id)]))
      session[NAME] = JSON.parse(text)
      return send(['SET', keyOf(id), JSON.stringify(session), 'EX', '3600'])
    },
  }
}

function raw(name: string, send: Send): Subject {
  let text = ''
  return {
    name,
    create: (id, session) => send(['SET', keyOf(id), (text = textOf(session)), 'EX', '3600']),
    load: (id) => send(['GET', keyOf(id)]),
    commit: (id) => send(['SET', keyOf(id), text, 'EX', '3600']),
  }
}

function read(reply: unknown): Record<string, unknown> {
  return JSON.parse(String(reply)) as Record<string, unknown>
}

/** The key of a JSON session, as connect-redis makes it: an id of 32 characters. */
function keyOf(id: string): string {
  return `sess:${id.slice(0, 32)}`
}

/** The JSON of a session, as express-session and connect-redis make it. */
function textOf({ values, user, client }: SessionRecord): string {
  const cookie = {
    originalMaxAge: HOUR,
    expires: new Date(Date.now() + HOUR),
    secure: true,
    httpOnly: true,
    path: '/',
    sameSite: 'lax',
  }
  const entries = [...values].map(([name, text]) => [name, JSON.parse(text) as unknown])
  return JSON.stringify({ cookie, user, ...client, ...Object.fromEntries(entries) })
}
