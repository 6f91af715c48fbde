import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createClient } from 'redis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EVENT_CHANNEL } from '../../src/events.ts'
import type { SessionId, SessionStore } from '../../src/store.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { Keys } from '../../src/stores/redis/keys.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { HOUR, newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'
import { ask } from '../support/redis-cluster.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

// Long enough for a busy machine, short enough to wait for.
const DEADLINE = 1000

const keys = new Keys('sojourn:')

let server: RedisServer
let store: RedisStore

beforeEach(async () => {
  server = await startRedis({ persistent: true })
  store = new RedisStore({ url: server.url }, { deadline: DEADLINE })
  await store.ready()
})

afterEach(async () => {
  await store?.close()
  await server?.stop()
})

describe('a server that is gone', () => {
  test('every call fails at once, and works again as soon as the server does', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await server.kill()
    const begun = performance.now()
    for (let round = 0; round < 20; round++) {
      for (const call of everyVerb(store)) {
        await expect(call()).rejects.toEqual(
          withCode('ERR_SESSION_STORE', `127.0.0.1:${server.port}`),
        )
      }
    }
    expect((performance.now() - begun) / (20 * 8)).toBeLessThan(50)
    await server.start()
    await expect.poll(() => store.load(id).catch(() => undefined)).toBeDefined()
    expect(await store.swap(id, 'a', '"1"', '"2"')).toBe(true)
  })

  test('ready says where it looked, without the password', async () => {
    await server.kill()
    const url = `redis://user:hidden@127.0.0.1:${server.port}/0`
    const lost = new RedisStore({ url })
    const error: unknown = await lost.ready().catch((thrown: unknown) => thrown)
    expect(error).toEqual(
      withCode(
        'ERR_SESSION_STORE',
        `Redis at 127.0.0.1:${server.port} failed at ready (ECONNREFUSED)`,
      ),
    )
    expect(String(error)).not.toMatch(/hidden|\n/)
    await lost.close()
  })

  test('a restart loses neither sessions nor the store', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await server.restart()
    await expect.poll(() => store.load(id).catch(() => undefined)).toBeDefined()
    expect(await store.take(id, 'a')).toBe('"1"')
  })
})

describe('a server that is frozen', () => {
  test('every call ends by the deadline, also those that wait together', async () => {
    const id = newId()
    await store.create(id, newRecord())
    server.pause()
    for (let round = 0; round < 2; round++) {
      const begun = performance.now()
      const calls = everyVerb(store).map((call) => call().catch((error: unknown) => error))
      for (const error of await Promise.all(calls)) {
        expect(['ERR_SESSION_TIMEOUT', 'ERR_SESSION_STORE']).toContain(
          Reflect.get(Object(error), 'code'),
        )
      }
      expect(performance.now() - begun).toBeLessThan(2 * DEADLINE)
    }
    server.resume()
    await expect.poll(() => store.load(id).catch(() => undefined)).toBeDefined()
  })

  test('the first call says that there was no answer', async () => {
    server.pause()
    await expect(store.load(newId())).rejects.toEqual(
      withCode(
        'ERR_SESSION_TIMEOUT',
        `Redis at 127.0.0.1:${server.port} did not answer load within 1000 ms`,
      ),
    )
    server.resume()
  })

  test('a client of yours, too, ends by the deadline and goes on later', async () => {
    const client = createClient({ url: server.url })
    client.on('error', () => {})
    await client.connect()
    const borrowed = new RedisStore(client, { deadline: '1s' })
    const id = newId()
    await borrowed.create(id, newRecord())
    server.pause()
    await expect(borrowed.load(id)).rejects.toEqual(withCode('ERR_SESSION_TIMEOUT'))
    server.resume()
    await expect.poll(() => borrowed.load(id).catch(() => undefined)).toBeDefined()
    await borrowed.close()
    expect(client.isOpen).toBe(true)
    client.destroy()
    await expect(borrowed.load(id)).rejects.toEqual(withCode('ERR_SESSION_CLOSED'))
  })
})

test('an answer that is lost is an error, and the sum is not doubled', async () => {
  const proxy = await startCuttingProxy(server)
  const behind = new RedisStore({ host: proxy.host, port: proxy.port }, { deadline: '5s' })
  const id = newId()
  await behind.create(id, newRecord({ values: new Map([['n', '0']]) }))
  // So that Redis knows the script.
  await behind.commit(id, newChange({ add: new Map([['n', 0]]) }))
  proxy.cutNextReply()
  const add = newChange({ add: new Map([['n', 1]]) })
  await expect(behind.commit(id, add)).rejects.toEqual(withCode('ERR_SESSION_STORE'))
  expect((await store.load(id))?.values.get('n')).toBe('1')
  await behind.close()
  await proxy.close()
})

describe('a touch', () => {
  test('that fails is told, and the load is answered nevertheless', async () => {
    const events: unknown[] = []
    const listen = (event: unknown): void => void events.push(event)
    subscribe(EVENT_CHANNEL, listen)
    const id = newId()
    await store.create(id, newRecord())
    const client = createClient({ url: server.url })
    await client.connect()
    const proxy = {
      sendCommand: (args: string[]) =>
        args[0] === 'GET' ? client.sendCommand(args) : Promise.reject(new Error('down')),
    }
    const failing = new RedisStore(proxy)
    expect(await failing.load(id, newTouch())).toBeDefined()
    await failing.close()
    expect(events).toEqual([
      expect.objectContaining({ type: 'store-failed', verb: 'touch', code: 'ERR_SESSION_STORE' }),
    ])
    unsubscribe(EVENT_CHANNEL, listen)
    client.destroy()
  })

  test('is waited for by close, and is not sent when it is not due', async () => {
    const id = newId()
    await store.create(id, newRecord())
    const calls = async (): Promise<string> =>
      /cmdstat_evalsha:calls=(\d+)/.exec(await ask(server.port, 'INFO commandstats'))?.[1] ?? '0'
    const before = await calls()
    await store.load(id, newTouch({ whenBefore: Date.now() }))
    await store.load(id)
    expect(await calls()).toBe(before)
    const touch = newTouch()
    await store.load(id, touch)
    await store.close()
    const other = new RedisStore({ url: server.url })
    expect((await other.load(id))?.expiresAt).toBe(touch.expiresAt)
    await other.close()
  })
})

describe('what is no record of ours', () => {
  const foreign = { text: 'SET KEY no-record', hash: 'HSET KEY a 1' }

  test.each(Object.entries(foreign))(
    'a %s is corrupt, and stays as it is',
    async (_what, command) => {
      const id = newId()
      await ask(server.port, command.replace('KEY', keys.record(id)))
      const before = await ask(server.port, `DUMP ${keys.record(id)}`)
      const corrupt = withCode('ERR_SESSION_CORRUPT')
      await expect(store.load(id)).rejects.toEqual(corrupt)
      await expect(store.load(id, newTouch())).rejects.toEqual(corrupt)
      await expect(store.commit(id, newChange())).rejects.toEqual(corrupt)
      await expect(store.swap(id, 'a', undefined, '1')).rejects.toEqual(corrupt)
      await expect(store.take(id, 'a')).rejects.toEqual(corrupt)
      expect(await ask(server.port, `DUMP ${keys.record(id)}`)).toBe(before)
      expect(await store.destroy(id)).toBe(true)
    },
  )

  test('a record of a newer version is refused by every verb, and only destroy removes it', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await ask(server.port, `SETRANGE ${keys.record(id)} 0 s2`)
    const before = await ask(server.port, `DUMP ${keys.record(id)}`)
    const newer = withCode('ERR_SESSION_VERSION')
    await expect(store.load(id, newTouch())).rejects.toEqual(newer)
    await expect(store.create(id, newRecord())).rejects.toEqual(newer)
    await expect(store.commit(id, newChange())).rejects.toEqual(newer)
    await expect(store.swap(id, 'a', undefined, '1')).rejects.toEqual(newer)
    await expect(store.take(id, 'a')).rejects.toEqual(newer)
    expect(await ask(server.port, `DUMP ${keys.record(id)}`)).toBe(before)
    expect(await store.destroy(id)).toBe(true)
  })
})

describe.each([-5, 5])('a process whose clock is %i minutes wrong', (minutes) => {
  const skew = minutes * 60_000
  const realNow = Date.now

  beforeEach(() => {
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + skew)
  })

  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('makes sessions of the right length, and reads times by its own clock', async () => {
    const wrong = new RedisStore({ url: server.url })
    const id = newId()
    const record = newRecord({ user: 'alice', authenticatedAt: Date.now() })
    await wrong.create(id, record)
    const mine = await wrong.load(id)
    expect(near(mine?.createdAt, record.createdAt)).toBe(true)
    expect(near(mine?.authenticatedAt, record.authenticatedAt!)).toBe(true)
    expect(near(await left(id), HOUR)).toBe(true)
    const touch = newTouch()
    expect((await wrong.load(id, touch))?.expiresAt).toBe(touch.expiresAt)
    const set = new Map([['a', '1']])
    const later = newChange({ set, expiresAt: Date.now() + 2 * HOUR })
    const extended = await wrong.commit(id, later)
    expect(extended).toMatchObject({ expiresAt: later.expiresAt })
    expect(near(await left(id), 2 * HOUR)).toBe(true)
    const deadline = Date.now() + 3 * HOUR
    const outcome = await wrong.commit(id, newChange({ deadline, user: 'bob', rotate: 'renew' }))
    expect(outcome).toMatchObject({ generation: 1 })
    await wrong.close()
    vi.restoreAllMocks()
    const right = (await store.load(id))!
    expect(near(right.createdAt, record.createdAt - skew)).toBe(true)
    expect(near(right.deadline, deadline - skew)).toBe(true)
    expect(near(right.authenticatedAt, realNow())).toBe(true)
    expect(near(right.renewedAt, realNow())).toBe(true)
  })

  test('moves the end of a session by a touch, though it has written nothing before', async () => {
    const wrong = new RedisStore({ url: server.url })
    const other = new RedisStore({ url: server.url })
    const id = newId()
    await other.create(id, newRecord({ expiresAt: Date.now() + 60_000 }))
    const touch = newTouch()
    await wrong.load(id, touch)
    await wrong.close()
    expect(near(await left(id), 2 * HOUR)).toBe(true)
    expect(near((await other.load(id))?.expiresAt, touch.expiresAt)).toBe(true)
    await other.close()
  })
})

async function left(id: SessionId): Promise<number> {
  return Number((await ask(server.port, `PTTL ${keys.record(id)}`)).slice(1))
}

function near(time: number | undefined, wanted: number): boolean {
  return time !== undefined && Math.abs(time - wanted) < 30_000
}

function everyVerb(store: SessionStore): (() => Promise<unknown>)[] {
  const id = newId()
  return [
    () => store.load(id),
    () => store.load(id, newTouch()),
    () => store.create(id, newRecord()),
    () => store.commit(id, newChange()),
    () => store.destroy(id),
    () => store.swap(id, 'a', undefined, '1'),
    () => store.take(id, 'a'),
    () => store.ready?.() ?? Promise.reject(new Error('no ready')),
  ]
}
