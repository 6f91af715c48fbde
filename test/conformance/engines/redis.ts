import { createClient } from 'redis'
import type { EngineAccess } from '../../../src/conformance/index.ts'
import { RedisStore } from '../../../src/stores/redis.ts'
import { Keys } from '../../../src/stores/redis/keys.ts'
import { startCuttingProxy } from '../../support/cutting-proxy.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import type { StartedEngine } from '../engines.ts'

const keys = new Keys('sojourn:')

/** A Redis of its own, behind a proxy for this process. */
export async function startRedisEngine(): Promise<StartedEngine> {
  const server = await startRedis()
  const proxy = await startCuttingProxy(server)
  const client = createClient({ url: server.url })
  await client.connect()
  const url = `redis://${proxy.host}:${proxy.port}`
  return {
    options: {
      store: () => new RedisStore({ url }),
      worker: new URL('../workers/redis.ts', import.meta.url),
      env: { KIT_REDIS_URL: server.url },
      engine: {
        ...accessTo(client),
        ...faultsOf(server),
        elsewhere: () => new RedisStore({ url }, { prefix: 'elsewhere:' }),
        cutNextReply: async () => proxy.cutNextReply(),
      },
    },
    stop: async () => {
      await client.close()
      await proxy.close()
      await server.stop()
    },
  }
}

/** The Redis of whoever runs the tests. Nothing is done to it but what a store does. */
export async function startRedisOfUrl(): Promise<StartedEngine> {
  const url = process.env['REDIS_URL'] ?? ''
  return {
    options: {
      store: () => new RedisStore({ url }),
      worker: new URL('../workers/redis.ts', import.meta.url),
      env: { KIT_REDIS_URL: url },
    },
    stop: async () => {},
  }
}

/** What is used of node-redis. */
interface Client {
  keys(pattern: string): Promise<string[]>
  type(key: string): Promise<string>
  zRange(key: string, first: number, last: number): Promise<string[]>
  get(key: string): Promise<string | null>
  set(key: string, text: string, options: { expiration: 'KEEPTTL' }): Promise<unknown>
  setRange(key: string, offset: number, text: string): Promise<unknown>
  pTTL(key: string): Promise<number>
}

function accessTo(client: Client): EngineAccess {
  return {
    dump: async () => {
      const found = await client.keys('*')
      return JSON.stringify(
        await Promise.all(found.map(async (key) => [key, await contentsOf(client, key)])),
      )
    },
    immortal: async () => {
      const found = await client.keys('*')
      const lives = await Promise.all(found.map((key) => client.pTTL(key)))
      return found.filter((_, n) => lives[n] === -1)
    },
    corrupt: async (id) => {
      await client.set(keys.record(id), 'no record', { expiration: 'KEEPTTL' })
    },
    fromTheFuture: async (id) => {
      await client.setRange(keys.record(id), 0, 's2')
    },
  }
}

async function contentsOf(client: Client, key: string): Promise<unknown> {
  const type = await client.type(key)
  if (type === 'stream') return 'events'
  return type === 'zset' ? client.zRange(key, 0, -1) : client.get(key)
}

function faultsOf(server: RedisServer): EngineAccess {
  return { stop: async () => server.pause(), start: async () => server.resume() }
}
