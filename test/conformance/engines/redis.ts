import { createClient, createCluster } from 'redis'
import type { EngineAccess } from '../../../src/conformance/index.ts'
import { RedisStore } from '../../../src/stores/redis.ts'
import { Keys } from '../../../src/stores/redis/keys.ts'
import { startCuttingProxy } from '../../support/cutting-proxy.ts'
import { startRedisCluster } from '../../support/redis-cluster.ts'
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
        ...accessTo(async () => client, [client]),
        ...faultsOf([server]),
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

/** A cluster of three primaries, through node-redis. */
export async function startRedisClusterEngine(): Promise<StartedEngine> {
  const started = await startRedisCluster()
  const { nodes } = started
  const clients = await Promise.all(nodes.map(({ url }) => createClient({ url }).connect()))
  const rootNodes = nodes.map(({ host, port }) => ({ socket: { host, port } }))
  const cluster = createCluster({ rootNodes })
  cluster.on('error', () => {})
  await cluster.connect()
  const holder = async (key: string): Promise<Client> => {
    for (const client of clients) if ((await client.keys(key)).length > 0) return client
    throw new Error(`No node has ${key}`)
  }
  return {
    options: {
      store: () => new RedisStore(cluster),
      worker: new URL('../workers/redis-cluster.ts', import.meta.url),
      env: { KIT_REDIS_PORTS: nodes.map(({ port }) => port).join(',') },
      engine: {
        ...accessTo(holder, clients),
        ...faultsOf(nodes),
        elsewhere: () => new RedisStore(cluster, { prefix: 'elsewhere:' }),
      },
    },
    stop: async () => {
      for (const client of [...clients, cluster]) client.destroy()
      await started.stop()
    },
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

/** @param holder - the client of the server that has a key */
function accessTo(
  holder: (key: string) => Promise<Client>,
  clients: readonly Client[],
): EngineAccess {
  return {
    dump: async () => JSON.stringify(await Promise.all(clients.map(contentsOf))),
    immortal: async () => (await Promise.all(clients.map(immortalIn))).flat(),
    corrupt: async (id) => {
      const key = keys.record(id)
      await (await holder(key)).set(key, 'no record', { expiration: 'KEEPTTL' })
    },
    fromTheFuture: async (id) => {
      const key = keys.record(id)
      await (await holder(key)).setRange(key, 0, 's2')
    },
  }
}

async function immortalIn(client: Client): Promise<readonly string[]> {
  const found = await client.keys('*')
  const lives = await Promise.all(found.map((key) => client.pTTL(key)))
  return found.filter((_, n) => lives[n] === -1)
}

async function contentsOf(client: Client): Promise<unknown> {
  const found = await client.keys('*')
  return Promise.all(found.map(async (key) => [key, await contentOf(client, key)]))
}

async function contentOf(client: Client, key: string): Promise<unknown> {
  const type = await client.type(key)
  if (type === 'stream') return 'events'
  return type === 'zset' ? client.zRange(key, 0, -1) : client.get(key)
}

function faultsOf(servers: readonly RedisServer[]): EngineAccess {
  return {
    stop: async () => servers.forEach((server) => server.pause()),
    start: async () => servers.forEach((server) => server.resume()),
  }
}
