import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { StoreProcess } from '../../src/conformance/process.ts'
import type { RemoteStore } from '../../src/conformance/process.ts'
import type { SessionId, StoreEvent } from '../../src/store.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { Keys, TAGS } from '../../src/stores/redis/keys.ts'
import { survivesTheConsumer, tellsAnotherProcess } from '../support/event-programs.ts'
import { HOUR, newChange, newId, newRecord } from '../support/records.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

const keys = new Keys('sojourn:')
const patience = { timeout: 30_000 }

let server: RedisServer
let client: ReturnType<typeof createClient>
let store: RedisStore

beforeAll(async () => {
  server = await startRedis({ args: ['--notify-keyspace-events', ''] })
  client = createClient({ url: server.url })
  await client.connect()
})

afterAll(async () => {
  client?.destroy()
  await server?.stop()
})

beforeEach(async () => {
  await client.flushAll()
  store = new RedisStore(client)
})

afterEach(() => store.close())

describe('the streams', () => {
  test('nothing is written while nobody listens', async () => {
    const id = newId()
    await store.create(id, newRecord({ user: 'alice' }))
    await store.commit(id, newChange({ rotate: 'renew' }))
    await store.tell({ type: 'replayed', id, at: Date.now() })
    await store.destroy(id)
    expect(await streams()).toEqual([])
  })

  test('a watcher makes one for each bucket, empty and with an end', async () => {
    const stop = await store.watch(() => undefined)
    const found = await streams()
    expect(found.toSorted()).toEqual(keys.buckets.map(({ events }) => events).toSorted())
    for (const key of found) {
      expect(await client.xLen(key)).toBe(0)
      expect(await client.pTTL(key)).toBeGreaterThan(0)
      expect(await client.pTTL(key)).toBeLessThanOrEqual(60_000)
    }
    await stop()
  })

  test('a group keeps them for a day, a watcher that comes later does not shorten that', async () => {
    const stops = [await store.consume('mail', () => undefined), await store.watch(() => undefined)]
    for (const key of await streams()) expect(await client.pTTL(key)).toBeGreaterThan(82_800_000)
    for (const stop of stops) await stop()
  })

  test('a bucket keeps a bounded number of events', async () => {
    const stop = await store.watch(() => undefined)
    const id = newId()
    const event: StoreEvent = { type: 'replayed', id, at: Date.now() }
    for (let n = 0; n < 10; n++) {
      await Promise.all(Array.from({ length: 500 }, () => store.tell(event)))
    }
    const length = await client.xLen(keys.bucket(id).events)
    expect(length).toBeGreaterThanOrEqual(2000)
    expect(length).toBeLessThan(2500)
    await stop()
  })

  test('a group whose streams are gone gets what comes after', async () => {
    const heard: StoreEvent[] = []
    const stop = await store.consume('mail', (event) => void heard.push(event))
    await client.del(await streams())
    await expect.poll(async () => (await streams()).length, patience).toBe(TAGS.length)
    const ids = Array.from({ length: 5 }, newId)
    for (const id of ids) await store.create(id, newRecord())
    await expect.poll(() => idsOf(heard), patience).toEqual(ids.toSorted())
    await stop()
  })
})

describe('what is told', () => {
  test('a user may be any text, and the empty one is not nobody', async () => {
    const heard: StoreEvent[] = []
    const stop = await store.watch((event) => void heard.push(event))
    const users = ['', 'Zoë 😀\n', '=', 'x'.repeat(1024), undefined]
    // Only within a bucket is it certain what came first.
    for (const [n, id] of bucketMates(users.length).entries()) {
      const user = users[n]
      await store.create(id, newRecord(user === undefined ? {} : { user }))
    }
    await expect.poll(() => heard.length, patience).toBe(users.length)
    await stop()
    expect(heard.map(({ user }) => user)).toEqual(users)
    expect('user' in heard[4]!).toBe(false)
  })

  test('more than one look can take is told in order', async () => {
    const heard: StoreEvent[] = []
    const stop = await store.watch((event) => void heard.push(event))
    const id = newId()
    for (let n = 0; n < 1000; n++)
      await store.tell({ type: 'replayed', id, at: 1_700_000_000_000 + n })
    await expect.poll(() => heard.length, patience).toBe(1000)
    await stop()
    expect(heard.map(({ at }) => at - 1_700_000_000_000)).toEqual([...heard.keys()])
  })

  test('a second watcher is not told what happened before it began', async () => {
    const [first, second]: [StoreEvent[], StoreEvent[]] = [[], []]
    const stops = [await store.watch((event) => void first.push(event))]
    const before = newId()
    await store.create(before, newRecord())
    stops.push(await store.watch((event) => void second.push(event)))
    const after = newId()
    await store.create(after, newRecord())
    await expect.poll(() => first.length, patience).toBe(2)
    await expect.poll(() => second.length, patience).toBe(1)
    for (const stop of stops) await stop()
    expect(second.map(({ id }) => id)).toEqual([after])
  })

  test('nothing is lost when the connection is', async () => {
    const own = new RedisStore({ url: server.url })
    const heard: StoreEvent[] = []
    const stop = await own.watch((event) => void heard.push(event))
    const ids = Array.from({ length: 30 }, newId)
    for (const [n, id] of ids.entries()) {
      await store.create(id, newRecord())
      if (n % 10 === 5)
        await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
      await sleep(20)
    }
    await expect.poll(() => idsOf(heard), patience).toEqual(ids.toSorted())
    await stop()
    await own.close()
  })
})

describe('expiry', () => {
  test('of a session that nobody extended is told once, by whichever of four stores comes first', async () => {
    const stores = Array.from({ length: 4 }, () => new RedisStore(client))
    const heard: StoreEvent[][] = stores.map(() => [])
    const stops = await Promise.all(
      stores.map((each, n) => each.watch((event) => void heard[n]?.push(event))),
    )
    const expiresAt = Date.now() + 300
    const ids = Array.from({ length: 100 }, newId)
    const living = newId()
    await store.create(living, newRecord({ expiresAt }))
    await store.commit(living, newChange())
    await Promise.all(ids.map((id) => store.create(id, newRecord({ expiresAt }))))
    for (const each of heard) {
      await expect.poll(() => idsOf(ofType(each, 'expired')), patience).toEqual(ids.toSorted())
    }
    await sleep(1200)
    for (const each of heard) expect(ofType(each, 'expired')).toHaveLength(ids.length)
    for (const stop of stops) await stop()
    await Promise.all(stores.map((each) => each.close()))
    expect((await store.list()).ids).toEqual([living])
  })

  test('is looked for where it was noted; who was extended is noted anew', async () => {
    const id = newId()
    await store.create(id, newRecord({ expiresAt: Date.now() + 100 }))
    const outcome = await store.commit(id, newChange())
    const { registry } = keys.bucket(id)
    expect(await client.zScore(registry, id)).toBeLessThan(Date.now() + 200)
    const stop = await store.watch(() => undefined)
    const noted = async (): Promise<number> => (await client.zScore(registry, id)) ?? 0
    const end = typeof outcome === 'object' ? outcome.expiresAt : 0
    await expect.poll(async () => Math.abs((await noted()) - end) < 5, patience).toBe(true)
    await stop()
  })

  test('leaves nothing behind even if nobody listens', async () => {
    const tag = bucketMates(60)
    const expiresAt = Date.now() + 100
    await Promise.all(tag.slice(0, 40).map((id) => store.create(id, newRecord({ expiresAt }))))
    await sleep(150)
    for (const id of tag.slice(40)) await store.create(id, newRecord())
    await store.close()
    const { registry } = keys.bucket(tag[0]!)
    expect(await client.zCard(registry)).toBe(20)
  })

  test('the registry lives as long as any session of it can', async () => {
    const [one, two] = bucketMates(2) as [SessionId, SessionId]
    const deadline = Date.now() + 100 * HOUR
    await store.create(one, newRecord({ deadline }))
    await store.create(two, newRecord())
    const { registry } = keys.bucket(one)
    expect(await client.pExpireTime(registry)).toBeGreaterThanOrEqual(deadline)
    await store.commit(two, newChange({ deadline: deadline + 50 * HOUR }))
    expect(await client.pExpireTime(registry)).toBeGreaterThanOrEqual(deadline + 50 * HOUR)
  })
})

describe('between processes', () => {
  const remotes: RemoteStore[] = []
  const start = async (): Promise<RemoteStore> => {
    const remote = await StoreProcess.start({
      worker: new URL('../conformance/workers/redis.ts', import.meta.url),
      execArgv: ['--import', 'tsx'],
      env: { KIT_REDIS_URL: server.url },
      skew: 0,
    })
    remotes.push(remote)
    return remote
  }

  afterEach(async () => {
    for (const remote of remotes.splice(0)) await remote.kill()
  })

  test(
    'each of 100 sessions is told as expired once, though four processes look',
    { timeout: 90_000 },
    async () => {
      const places = [store, ...(await Promise.all([start(), start(), start()]))]
      const heard: StoreEvent[][] = places.map(() => [])
      const handled: StoreEvent[] = []
      const stops = await Promise.all(
        places.flatMap((place, n) => [
          place.watch((event) => void heard[n]?.push(event)),
          place.consume('audit', (event) => void handled.push(event)),
        ]),
      )
      const expiresAt = Date.now() + 1000
      const ids = Array.from({ length: 100 }, newId)
      await Promise.all(ids.map((id) => store.create(id, newRecord({ expiresAt }))))
      for (const events of [...heard, handled]) {
        await expect.poll(() => idsOf(ofType(events, 'expired')), patience).toEqual(ids.toSorted())
      }
      await sleep(1500)
      for (const events of [...heard, handled]) {
        expect(ofType(events, 'expired')).toHaveLength(ids.length)
      }
      for (const stop of stops) await stop()
    },
  )

  test('events come within a second', { timeout: 30_000 }, async () => {
    await expect(tellsAnotherProcess(store, await start())).resolves.toBeUndefined()
  })

  test(
    'what a consumer had when it was killed is handled by another',
    { timeout: 40_000 },
    async () => {
      await expect(survivesTheConsumer(store, await start())).resolves.toBeUndefined()
    },
  )
})

async function streams(): Promise<string[]> {
  return client.keys('sojourn:e:*')
}

function idsOf(events: readonly StoreEvent[]): readonly string[] {
  return events.map(({ id }) => id).toSorted()
}

function ofType(events: readonly StoreEvent[], type: string): readonly StoreEvent[] {
  return events.filter((event) => event.type === type)
}

/** Ids of one bucket. */
function bucketMates(count: number): SessionId[] {
  const first = newId()
  const ids = [first]
  while (ids.length < count) {
    const id = newId()
    if (keys.bucket(id) === keys.bucket(first)) ids.push(id)
  }
  return ids
}
