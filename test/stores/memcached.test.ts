import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lifeOf } from '../../src/stores/memcached/items.ts'
import { MemcachedStore } from '../../src/stores/memcached.ts'
import { startMemcached, type MemcachedServer } from '../support/memcached.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'

let server: MemcachedServer
let store: MemcachedStore

beforeAll(async () => {
  server = await startMemcached()
  store = new MemcachedStore({ servers: [server.address] })
})

afterAll(async () => {
  await store?.close()
  await server?.stop()
})

describe('options', () => {
  test.each([
    [{}],
    [{ servers: [] }],
    [{ servers: [''] }],
    [{ servers: ['a b'] }],
    [{ servers: ['host:0'] }],
    [{ servers: ['host:70000'] }],
    [{ servers: ['::1'] }],
    [{ servers: [5] }],
    [{ servers: ['a', 'a:11211'] }],
    [{ servers: ['a'], prefix: 'a b' }],
    [{ servers: ['a'], prefix: 'ü' }],
    [{ servers: ['a'], prefix: 'x'.repeat(201) }],
    [{ servers: ['a'], deadline: '0s' }],
    [{ servers: ['a'], server: 'b' }],
  ])('%j is refused', (options) => {
    expect(() => new MemcachedStore(options as any)).toThrow(withCode('ERR_SESSION_OPTION'))
  })

  test('hosts, ports, IPv6 and sockets are understood', () => {
    const servers = [
      'localhost',
      'cache.example:11212',
      '[::1]:11213',
      '[::1]',
      '/run/memcached.sock',
    ]
    expect(() => new MemcachedStore({ servers })).not.toThrow()
  })

  test('the longest prefix leaves keys that memcached takes', async () => {
    const long = new MemcachedStore({ servers: [server.address], prefix: 'p'.repeat(200) })
    const id = newId()
    expect(await long.create(id, newRecord())).toBe(true)
    expect(await long.load(id)).toBeDefined()
    await long.close()
  })
})

describe('time', () => {
  test('an item outlives its session by a minute, and long lives are points in time', () => {
    expect(lifeOf(10_000, 0)).toBe(70)
    expect(lifeOf(10_001, 0)).toBe(71)
    expect(lifeOf(0, 3_600_000)).toBe(1)
    const month = 30 * 86_400_000
    const now = 1_700_000_000_000
    expect(lifeOf(now + month - 60_000, now)).toBe(2_592_000)
    expect(lifeOf(now + month, now)).toBe(1_700_000_000 + 2_592_060)
    expect(lifeOf(now * 10, now)).toBe(2_147_483_647)
  })

  test('a session of a year is there', async () => {
    const id = newId()
    const year = Date.now() + 365 * 86_400_000
    await store.create(id, newRecord({ expiresAt: year, deadline: year }))
    expect((await store.load(id))?.expiresAt).toBe(year)
  })

  test('the clock that was given decides what has expired', async () => {
    let now = 1_000_000
    const clocked = new MemcachedStore({ servers: [server.address], now: () => now })
    const id = newId()
    const record = newRecord({ createdAt: now, expiresAt: now + 1_000, deadline: now + 9_000 })
    await clocked.create(id, record)
    now += 999
    expect(await clocked.load(id)).toEqual(record)
    now += 1
    expect(await clocked.load(id)).toBeUndefined()
    expect(await clocked.create(id, { ...record, expiresAt: now + 500 })).toBe(true)
    expect(await clocked.destroy(id)).toBe(true)
    await clocked.close()
  })

  test('a read that extends the session answers the new time', async () => {
    const id = newId()
    await store.create(id, newRecord())
    const touch = newTouch()
    expect((await store.load(id, touch))?.expiresAt).toBe(touch.expiresAt)
    expect((await store.load(id, touch))?.expiresAt).toBe(touch.expiresAt)
  })
})

describe('large sessions', () => {
  const value = (length: number): Map<string, string> => new Map([['large', 'x'.repeat(length)]])

  /** The most characters that a value of such a session can have. */
  async function longest(of: MemcachedStore): Promise<number> {
    let [fits, fails] = [1, 4 * 1_048_576]
    while (fails - fits > 1) {
      const middle = Math.floor((fits + fails) / 2)
      const kept = await of.create(newId(), newRecord({ values: value(middle) })).catch(() => false)
      if (kept) fits = middle
      else fails = middle
    }
    return fits
  }

  test('what is too large is refused, and what was stored before stays', async () => {
    const most = await longest(store)
    expect(most).toBeGreaterThan(1_048_576 - 1_000)
    const id = newId()
    await store.create(id, newRecord())
    const refused = withCode('ERR_SESSION_TOO_LARGE', '-I')
    for (const length of [most + 1, most + 100, 1_048_576, 3_000_000]) {
      await expect(store.commit(id, newChange({ set: value(length) }))).rejects.toEqual(refused)
      await expect(store.swap(id, 'b', undefined, 'x'.repeat(length))).rejects.toEqual(refused)
      expect([...((await store.load(id))?.values ?? [])]).toEqual([['a', '"1"']])
    }
    const largest = newChange({ unset: ['a'], set: value(most) })
    expect(await store.commit(id, largest)).toMatchObject({ generation: 0 })
    expect((await store.load(id))?.values.get('large')).toHaveLength(most)
  })

  test('a server that takes more is given more', async () => {
    const roomy = await startMemcached({ args: ['-I', '2m'] })
    const large = new MemcachedStore({ servers: [roomy.address] })
    expect(await longest(large)).toBeGreaterThan(2 * 1_048_576 - 1_000)
    await large.close()
    await roomy.stop()
  })
})

describe('several servers', () => {
  test('every process finds a session on the server where it is, in whatever order it knows them', async () => {
    const others = await Promise.all([startMemcached(), startMemcached()])
    const servers = [server.address, ...others.map(({ address }) => address)]
    const [here, there] = [servers, servers.toReversed()].map(
      (list) => new MemcachedStore({ servers: list }),
    )
    const ids = Array.from({ length: 60 }, newId)
    for (const id of ids) await here!.create(id, newRecord())
    for (const id of ids) expect(await there!.load(id)).toBeDefined()
    const counts = await Promise.all(
      others.map(async (each) => (await each.ask('stats', 'END')).match(/curr_items (\d+)/)?.[1]),
    )
    for (const count of counts) expect(Number(count)).toBeGreaterThan(5)
    await Promise.all([here!.close(), there!.close()])
    for (const each of others) await each.stop()
  })
})

test('a session that memcached had no room for is gone, and nothing revives it', async () => {
  const small = await startMemcached({ args: ['-m', '2'] })
  const crowded = new MemcachedStore({ servers: [small.address] })
  const id = newId()
  await crowded.create(id, newRecord())
  const filling = newRecord({ values: new Map([['a', 'x'.repeat(20_000)]]) })
  const many = newRecord({ values: new Map([['a', 'x'.repeat(20)]]) })
  for (let n = 0; n < 100; n++) await crowded.create(newId(), filling)
  for (let n = 0; n < 20_000 && (await crowded.load(newId())) === undefined; n += 500) {
    await Promise.all(Array.from({ length: 500 }, () => crowded.create(newId(), many)))
  }
  expect(await crowded.load(id)).toBeUndefined()
  expect(await crowded.commit(id, newChange({ set: new Map([['b', '1']]) }))).toBe('gone')
  expect(await crowded.load(id)).toBeUndefined()
  await crowded.close()
  await small.stop()
})

test('a server without room that may not forget is an error, never an unwritten success', async () => {
  const full = await startMemcached({ args: ['-m', '2', '-M'] })
  const refusing = new MemcachedStore({ servers: [full.address] })
  const record = newRecord({ values: new Map([['a', 'x'.repeat(5_000)]]) })
  const kept: ReturnType<typeof newId>[] = []
  const error = await (async () => {
    for (let n = 0; n < 5_000; n++) {
      const id = newId()
      if (await refusing.create(id, record)) kept.push(id)
    }
    return 'never full'
  })().catch((reason: unknown) => reason)
  expect(error).toEqual(withCode('ERR_SESSION_STORE', 'out of memory'))
  for (const id of kept) expect(await refusing.load(id)).toBeDefined()
  await refusing.close()
  await full.stop()
})
