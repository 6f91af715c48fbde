import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, createCluster, createSentinel } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { CachedStore } from '../../src/stores/cached.ts'
import type { CachedStoreOptions } from '../../src/stores/cached.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import type { TrackedStore } from '../../src/tracking.ts'
import { HOUR, newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'
import { single } from '../support/redis-clients.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

const unsuitable = withCode('ERR_SESSION_OPTION', 'node-redis 6')

let server: RedisServer
let admin: ReturnType<typeof newAdmin>
let plain: RedisStore
let store: CachedStore

beforeAll(async () => {
  server = await startRedis()
  admin = newAdmin()
  await admin.connect()
  plain = new RedisStore({ url: server.url })
  await plain.ready()
})

afterAll(async () => {
  await plain?.close()
  await admin?.close()
  await server?.stop()
})

afterEach(async () => {
  await store?.close()
})

describe('what is kept', () => {
  test('is read from Redis once, and not again until it is changed', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = await begun()
    await reads(id)
    await admin.configResetStat()
    for (let n = 0; n < 50; n++) expect((await store.load(id))?.values.get('a')).toBe('"1"')
    expect(await calls()).toEqual({})
    expect(store.usage).toMatchObject({ sessions: 1, misses: 1 })
  })

  test('is confirmed before it is used when strict, once for all loads of a moment', async () => {
    store = await open()
    const id = await begun()
    await reads(id)
    await admin.configResetStat()
    await Promise.all(Array.from({ length: 50 }, () => store.load(id)))
    expect(await calls()).toEqual({ ping: 1 })
  })

  test('is asked about when the connection was silent for maxStale, and not before', async () => {
    store = await open({ strict: false, maxStale: '300ms' })
    const id = await begun()
    await reads(id)
    await sleep(320)
    await admin.configResetStat()
    for (let n = 0; n < 10; n++) await store.load(id)
    expect(await calls()).toEqual({ ping: 1 })
  })

  test('has another object for every caller', async () => {
    store = await open({ strict: false })
    const id = newId()
    await plain.create(id, newRecord({ client: { address: '::1' } }))
    const mine: { user?: string; client?: { address?: string } } = (await reads(id))!
    mine.user = 'mallory'
    mine.client!.address = 'elsewhere'
    expect(await store.load(id)).toMatchObject({ client: { address: '::1' } })
    expect(await store.load(id)).not.toHaveProperty('user')
  })

  test('ends when the session ends, though Redis has not removed it', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = newId()
    await plain.create(id, newRecord({ expiresAt: Date.now() + 1500 }))
    await reads(id)
    server.pause()
    await sleep(1600)
    const { hits } = store.usage
    const loading = store.load(id)
    server.resume()
    expect(await loading).toBeUndefined()
    expect(store.usage.hits).toBe(hits)
  })

  test('takes no more memory than it may, and those that were used last stay', async () => {
    store = await open({ strict: false, maxStale: '1h', maxBytes: 100_000 })
    const ids = await Promise.all(
      Array.from({ length: 40 }, () => begun(new Map([['a', 'x'.repeat(9_000)]]))),
    )
    const [first = newId()] = ids
    for (const id of ids) {
      await store.load(id)
      await store.load(first)
    }
    const { sessions, bytes, misses } = store.usage
    expect(bytes).toBeLessThan(100_000)
    expect(sessions).toBeGreaterThan(5)
    await store.load(first)
    expect(store.usage.misses).toBe(misses)
    const huge = await begun(new Map([['a', 'x'.repeat(200_000)]]))
    expect((await store.load(huge))?.values.get('a')).toHaveLength(200_000)
    expect(store.usage.sessions).toBe(sessions)
  })

  test('is all dropped when everything in Redis is', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = await begun()
    await reads(id)
    await admin.flushAll()
    await expect.poll(() => store.load(id)).toBeUndefined()
  })
})

describe('a touch', () => {
  test('is sent when it is due, and not before', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = await begun()
    await reads(id)
    await admin.configResetStat()
    await store.load(id, newTouch({ whenBefore: Date.now() + HOUR / 2 }))
    expect(await calls()).toEqual({})
    const touch = newTouch()
    expect((await store.load(id, touch))?.expiresAt).toBe(touch.expiresAt)
    await expect.poll(async () => (await plain.load(id))?.expiresAt).toBe(touch.expiresAt)
  })

  test('is not sent again and again at the absolute end, where it changes nothing', async () => {
    store = await open({ strict: false, maxStale: '1h' })
    const id = newId()
    const expiresAt = Date.now() + HOUR
    await plain.create(id, newRecord({ expiresAt, deadline: expiresAt }))
    await reads(id)
    await admin.configResetStat()
    for (let n = 0; n < 5; n++) await store.load(id, newTouch())
    expect(await calls()).toEqual({})
  })

  test.each([-5, 5])(
    'is due by the time that is left, if the clock turns by %i minutes',
    async (minutes) => {
      store = await open({ strict: false, maxStale: '1h' })
      const id = await begun()
      await reads(id)
      const realNow = Date.now
      vi.spyOn(Date, 'now').mockImplementation(() => realNow() + minutes * 60_000)
      const { misses } = store.usage
      await store.load(id, newTouch({ whenBefore: Date.now() + HOUR - 60_000 }))
      expect(store.usage.misses).toBe(misses)
      await store.load(id, newTouch({ whenBefore: Date.now() + HOUR + 60_000 }))
      expect(store.usage.misses).toBe(misses + 1)
      vi.restoreAllMocks()
    },
  )
})

describe('what this process writes', () => {
  beforeEach(async () => {
    store = await open({ strict: false, maxStale: '1h' })
  })

  test('it reads at once, whichever verb it was', async () => {
    for (let round = 0; round < 50; round++) {
      const id = await begun()
      const read = async (name: string) => (await store.load(id))?.values.get(name)
      await reads(id)
      await store.commit(id, newChange({ set: new Map([['a', `${round}`]]) }))
      expect(await read('a')).toBe(`${round}`)
      await store.load(id)
      await store.swap(id, 'a', `${round}`, 'swapped')
      expect(await read('a')).toBe('swapped')
      await store.load(id)
      expect(await store.take(id, 'a')).toBe('swapped')
      expect(await read('a')).toBeUndefined()
      await store.load(id)
      await store.destroy(id)
      expect(await store.load(id)).toBeUndefined()
      await store.create(id, newRecord())
      expect(await read('a')).toBe('"1"')
    }
  })

  test('no read that was under way meanwhile keeps from it', async () => {
    const id = await begun(new Map([['n', '0']]))
    for (let round = 1; round <= 200; round++) {
      const reading = Array.from({ length: 4 }, () => store.load(id))
      const writing = store.commit(id, newChange({ add: new Map([['n', 1]]) }))
      const others = Array.from({ length: 4 }, () => store.load(id))
      await writing
      expect((await store.load(id))?.values.get('n')).toBe(`${round}`)
      await Promise.all([...reading, ...others])
      expect((await store.load(id))?.values.get('n')).toBe(`${round}`)
    }
  })
})

describe('what it is made from', () => {
  test('a client of node-redis is enough, stays open, and may have a cache of its own', async () => {
    const client = createClient({ url: server.url, RESP: 3, clientSideCache: {} })
    await client.connect()
    store = await open({ strict: false, maxStale: '1h' }, new RedisStore(client))
    const id = await begun()
    await reads(id)
    await plain.commit(id, newChange({ set: new Map([['a', '2']]) }))
    await expect.poll(async () => (await store.load(id))?.values.get('a')).toBe('2')
    await store.close()
    expect(await client.ping()).toBe('PONG')
    await client.close()
  })

  test.each(Object.keys(single).filter((name) => !/^node-redis(, RESP2)?$/.test(name)))(
    '%s cannot be told of changes, which is said at once',
    async (name) => {
      const connected = await single[name]!([server])
      expect(() => new CachedStore(new RedisStore(connected.client))).toThrow(unsuitable)
      await connected.close()
    },
  )

  test('a cluster or a sentinel of node-redis neither', () => {
    const nodes = [{ url: server.url }]
    const cluster = new RedisStore(createCluster({ rootNodes: nodes }))
    expect(() => new CachedStore(cluster)).toThrow(unsuitable)
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [server] })
    expect(() => new CachedStore(new RedisStore(sentinel))).toThrow(unsuitable)
  })

  test('another store, and options that make no sense, are refused', () => {
    const memory = new MemoryStore() as unknown as TrackedStore
    expect(() => new CachedStore(memory)).toThrow(withCode('ERR_SESSION_OPTION', 'RedisStore'))
    const wrong = [{ maxBytes: 0 }, { maxBytes: '1' }, { strict: 1 }, { maxStale: '1' }, { ttl: 1 }]
    for (const options of wrong) {
      expect(() => new CachedStore(plain, options as CachedStoreOptions)).toThrow(
        withCode('ERR_SESSION_OPTION'),
      )
    }
  })

  test('a server that may not tell of changes is an error of ready, and still serves', async () => {
    await admin.sendCommand([
      'ACL',
      'SETUSER',
      'deaf',
      'on',
      '>pw',
      '~*',
      '+@all',
      '-client|tracking',
    ])
    const inner = new RedisStore({ url: server.url, username: 'deaf', password: 'pw' })
    store = new CachedStore(inner, { strict: false })
    await expect(store.ready()).rejects.toEqual(withCode('ERR_SESSION_STORE', 'track'))
    const id = await begun()
    expect(await store.load(id)).toBeDefined()
    expect(await store.load(id)).toBeDefined()
    expect(store.usage).toMatchObject({ sessions: 0, hits: 0 })
  })
})

function newAdmin() {
  return createClient({ url: server.url })
}

async function open(options: CachedStoreOptions = {}, inner = new RedisStore({ url: server.url })) {
  const opened = new CachedStore(inner, options)
  await opened.ready()
  return opened
}

async function begun(values = new Map([['a', '"1"']])) {
  const id = newId()
  await plain.create(id, newRecord({ values }))
  return id
}

/** Loads a session until it is kept. */
async function reads(id: ReturnType<typeof newId>) {
  const { hits } = store.usage
  while (store.usage.hits === hits) await store.load(id)
  return store.load(id)
}

/** The commands that were called since the statistics were reset, without those of the test. */
async function calls(): Promise<Record<string, number>> {
  const info = await admin.info('commandstats')
  const found = info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)
  const all = Array.from(found, ([, name = '', count]) => [name, Number(count)] as const)
  return Object.fromEntries(all.filter(([name]) => !/^(info|config)/.test(name)))
}
