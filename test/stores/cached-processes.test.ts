import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { StoreProcess } from '../../src/conformance/process.ts'
import { SessionManager } from '../../src/manager.ts'
import type { SessionId, SessionStore } from '../../src/store.ts'
import { CachedStore } from '../../src/stores/cached.ts'
import type { CachedStoreOptions } from '../../src/stores/cached.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { HOUR, newChange, newId, newRecord, withCode } from '../support/records.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'
import { SECRET } from '../support/stage.ts'
import { Visitor } from '../support/visitor.ts'

let server: RedisServer
let admin: ReturnType<typeof newAdmin>
// Two other processes, each with a near cache of its own.
let others: SessionStore[]
let store: CachedStore

beforeAll(async () => {
  server = await startRedis()
  admin = newAdmin()
  await admin.connect()
  others = await Promise.all([otherProcess(), otherProcess()])
}, 60_000)

afterAll(async () => {
  await Promise.all(others.map((other) => other.close?.()))
  await admin?.close()
  await server?.stop()
})

afterEach(async () => {
  await store?.close()
})

describe('a write in one process', () => {
  test('is read by every other one from the moment it is acknowledged, when strict', async () => {
    store = await open()
    const id = await begun()
    const all = [store, ...others]
    for (let round = 1; round <= 200; round++) {
      await Promise.all(all.map((reader) => reader.load(id)))
      const writer = all[round % all.length]!
      await writer.commit(id, newChange({ set: new Map([['a', `${round}`]]) }))
      const seen = await Promise.all(
        all.map(async (reader) => (await reader.load(id))?.values.get('a')),
      )
      expect(seen).toEqual(all.map(() => `${round}`))
    }
    expect(store.usage.hits).toBeGreaterThan(0)
  })

  test('is read by every other one when the word of it has come, when not strict', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = await begun()
    const [other = store] = others
    const delays: number[] = []
    for (let round = 1; round <= 200; round++) {
      await reads(id)
      await other.commit(id, newChange({ set: new Map([['a', `${round}`]]) }))
      const begin = performance.now()
      while ((await store.load(id))?.values.get('a') !== `${round}`) await sleep(0)
      delays.push(performance.now() - begin)
    }
    // Nothing but the word of Redis can have done it: the connection is trusted for an hour.
    expect(Math.max(...delays)).toBeLessThan(10_000)
  })

  test('wins over reads that were under way, however they meet', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = await begun(new Map([['n', '0']]))
    const done = new AbortController()
    const readers = Array.from({ length: 8 }, async () => {
      let last = 0
      while (!done.signal.aborted) {
        const now = Number((await store.load(id))?.values.get('n'))
        expect(now).toBeGreaterThanOrEqual(last)
        last = now
        await sleep(0)
      }
    })
    const add = newChange({ add: new Map([['n', 1]]) })
    for (let round = 0; round < 100; round++) {
      await Promise.all(others.map((other) => other.commit(id, add)))
    }
    await expect.poll(async () => (await store.load(id))?.values.get('n')).toBe('200')
    done.abort()
    await Promise.all(readers)
  })

  test.each(['logout', 'login', 'revoke'] as const)(
    'that is a %s refuses the older credential here at once',
    async (what) => {
      store = await open()
      const here = new SessionManager({ secret: SECRET, store })
      const there = new SessionManager({ secret: SECRET, store: await open() })
      for (let round = 0; round < 30; round++) {
        const visitor = new Visitor(there)
        await visitor.request((session) => session.login('alice'))
        const before = new Visitor(here, visitor.cookie)
        const known = async () => (await before.request((session) => session.user)).result
        expect([await known(), await known()]).toEqual(['alice', 'alice'])
        if (what === 'revoke') await revoke(there, visitor)
        else if (what === 'logout') await visitor.request((session) => session.logout())
        else await visitor.request((session) => session.login('bob'))
        expect(await known()).toBeUndefined()
      }
      await there.close()
    },
  )
})

describe('when the connection that tells of changes', () => {
  test('is cut, everything that was kept is dropped, and kept again once there is a new one', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = await begun()
    const [other = store] = others
    for (let round = 1; round <= 5; round++) {
      await reads(id)
      await cutTracking()
      await expect.poll(() => store.usage.sessions).toBe(0)
      await other.commit(id, newChange({ set: new Map([['a', `${round}`]]) }))
      expect((await store.load(id))?.values.get('a')).toBe(`${round}`)
    }
    await reads(id)
    expect(store.usage.sessions).toBe(1)
  })

  test('is cut under many loads, none of them fails', async () => {
    store = await open()
    const id = await begun()
    for (let round = 0; round < 10; round++) {
      await reads(id)
      const loads = Array.from({ length: 50 }, () => store.load(id))
      await cutTracking()
      const records = await Promise.all([...loads, store.load(id)])
      expect(records.every((record) => record?.values.get('a') === '"1"')).toBe(true)
    }
  })

  test('falls silent, nothing is used for longer than maxStale', async () => {
    store = await open({ strict: false, maxStale: '400ms' })
    const id = await begun()
    await reads(id)
    server.pause()
    await sleep(450)
    await expect(store.load(id)).rejects.toEqual(withCode('ERR_SESSION_TIMEOUT'))
    expect(store.usage.sessions).toBe(0)
    server.resume()
    await expect.poll(() => store.load(id).catch(() => undefined)).toBeDefined()
  })

  test('falls silent, nothing is used at all when strict', async () => {
    store = await open()
    const id = await begun()
    await reads(id)
    server.pause()
    await expect(store.load(id)).rejects.toEqual(withCode('ERR_SESSION_TIMEOUT'))
    server.resume()
    await expect.poll(() => store.load(id).catch(() => undefined)).toBeDefined()
  })

  test('comes and goes with the server, nothing is left of what was kept', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = await begun()
    await reads(id)
    await server.restart()
    await expect.poll(() => store.usage.sessions).toBe(0)
    await expect.poll(() => store.load(id).catch(() => 'failed')).toBeUndefined()
    await store.create(id, newRecord())
    await reads(id)
    expect(store.usage.sessions).toBe(1)
  })
})

describe('close', () => {
  test('ends both connections, and every call after it fails', async () => {
    store = await open()
    const id = await begun()
    await reads(id)
    const before = (await trackingClients()).length
    await store.close()
    await expect(store.load(id)).rejects.toEqual(withCode('ERR_SESSION_CLOSED'))
    await expect.poll(async () => (await trackingClients()).length).toBe(before - 1)
  })
})

function newAdmin() {
  const client = createClient({ url: server.url, RESP: 2 })
  // It reconnects by itself when the server was restarted.
  client.on('error', () => undefined)
  return client
}

function otherProcess(): Promise<SessionStore> {
  return StoreProcess.start({
    worker: new URL('../conformance/workers/cached.ts', import.meta.url),
    execArgv: ['--import', 'tsx'],
    env: { KIT_REDIS_URL: server.url },
  })
}

async function open(options: CachedStoreOptions = {}): Promise<CachedStore> {
  const opened = new CachedStore(new RedisStore({ url: server.url }), options)
  await opened.ready()
  return opened
}

async function begun(values = new Map([['a', '"1"']])): Promise<SessionId> {
  const id = newId()
  await store.create(id, newRecord({ values, expiresAt: Date.now() + HOUR }))
  return id
}

/** Loads a session until it is kept. */
async function reads(id: SessionId): Promise<void> {
  const { hits } = store.usage
  while (store.usage.hits === hits) await store.load(id)
}

async function revoke(sessions: SessionManager, visitor: Visitor): Promise<void> {
  const { result } = await visitor.request((session) => session.id)
  await sessions.revoke(result)
}

/** The ids of the connections that Redis tells of changes. */
async function trackingClients(): Promise<string[]> {
  const list = await admin.sendCommand<string>(['CLIENT', 'LIST'])
  const lines = list.split('\n').filter((line) => /flags=\w*t/.test(line))
  return lines.map((line) => /\bid=(\d+)/.exec(line)?.[1] ?? '')
}

async function cutTracking(): Promise<void> {
  for (const id of await trackingClients()) await admin.sendCommand(['CLIENT', 'KILL', 'ID', id])
}
