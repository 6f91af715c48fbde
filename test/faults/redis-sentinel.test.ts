import { createSentinel } from 'redis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { RedisStore, type RedisStoreOptions } from '../../src/stores/redis.ts'
import { Unsent } from '../../src/stores/redis/unsent.ts'
import { behindSentinels, type Connected } from '../support/redis-clients.ts'
import { type RedisSentinels, startRedisSentinels } from '../support/redis-sentinel.ts'
import { duringFaults, expectNothingWrong, type Scene } from './figures.ts'
import { AS_REPLICATION_ALLOWS } from './redis-replication.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const clients: Connected[] = []
let sentinels: RedisSentinels

beforeAll(async () => {
  sentinels = await startRedisSentinels()
})

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await sentinels?.stop()
})

test('a sentinel client of node-redis is kept from sending again what was sent before a trouble', async () => {
  const client = createSentinel({
    name: sentinels.name,
    sentinelRootNodes: sentinels.sentinels.map(({ host, port }) => ({ host, port })),
  })
  client.on('error', () => {})
  await client.connect()
  clients.push({ client, close: async () => client.destroy() })
  const unsent = new Unsent(client)
  const add = (signal: AbortSignal): Promise<unknown> =>
    client.sendCommand(false, ['INCR', 'n'], { abortSignal: signal })
  const before = unsent.signal
  expect(await add(before)).toBe(1)
  client.emit('topology-change', {})
  await expect(add(before)).rejects.toThrow('aborted')
  expect(await add(unsent.signal)).toBe(2)
})

test('a primary killed: the sentinels name another one, and every client goes on there', async () => {
  const connect = async (kind: string, options: RedisStoreOptions = {}): Promise<RedisStore> => {
    const connected = await behindSentinels[kind]?.(sentinels.name, sentinels.sentinels)
    if (connected === undefined) throw new TypeError(`There is no ${kind}.`)
    clients.push(connected)
    return new RedisStore(connected.client, { deadline: '1s', ...options })
  }
  const kinds = Object.keys(behindSentinels)
  const witness = await connect('node-redis')
  const scenes: Scene[] = await Promise.all(
    kinds.map(async (kind) => {
      const stores = [await connect(kind)]
      const engine = `redis sentinel, ${kind}`
      return { engine, what: 'primary killed', stores, witness, ...AS_REPLICATION_ALLOWS }
    }),
  )
  // What a replica has before it is answered is not lost with the primary.
  const stores = [await connect('ioredis', { ack: 'replica' })]
  const engine = 'redis sentinel, ack: replica'
  scenes.push({ engine, what: 'primary killed', stores, witness, load: { writers: 6 } })
  const before = await sentinels.primary()
  const all = await duringFaults(scenes, async (loads) => {
    await before.kill()
    await Promise.all(loads.map((load) => load.failed(3)))
    await expect.poll(() => sentinels.primary(), { timeout: 40_000 }).not.toBe(before)
  })
  for (const figures of all) {
    expectNothingWrong(figures)
    expect(figures.failed).toBeGreaterThan(0)
  }
})
