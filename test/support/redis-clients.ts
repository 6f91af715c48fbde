import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'
import * as ioredis from 'ioredis'
import * as iovalkey from 'iovalkey'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import type { RedisClient } from '../../src/stores/redis.ts'

/** Where a client finds its Redis. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A client that is connected, and how to end it. */
export interface Connected {
  readonly client: RedisClient
  close(): Promise<unknown>
}

type Connect = (nodes: readonly Address[]) => Promise<Connected>

function at(node: Address | undefined): { host: string; port: number } {
  if (node === undefined) throw new TypeError('A client needs an address.')
  return { host: node.host, port: node.port }
}

// GLIDE writes every error to the terminal, also those that a test wants.
Logger.init('off')

const ignore = (): void => {}

// Else ioredis and iovalkey send a command again whose answer was lost, and an addition counts twice.
const ONCE = { autoResendUnfulfilledCommands: false } as const

/** Every kind of client for one server. */
export const single: Readonly<Record<string, Connect>> = {
  'node-redis': async ([node]) => opened(createClient({ socket: at(node) })),
  'node-redis, RESP2': async ([node]) => opened(createClient({ socket: at(node), RESP: 2 })),
  'node-redis, a pool': async ([node]) => opened(createClientPool({ socket: at(node) })),
  ioredis: async ([node]) => quitting(new ioredis.Redis({ ...at(node), ...ONCE })),
  iovalkey: async ([node]) => quitting(new iovalkey.Redis({ ...at(node), ...ONCE })),
  GLIDE: async ([node]) => {
    const client = await GlideClient.createClient({ addresses: [at(node)] })
    return { client, close: async () => client.close() }
  },
}

/** Every kind of client for a cluster. */
export const clustered: Readonly<Record<string, Connect>> = {
  'node-redis': async (nodes) =>
    opened(createCluster({ rootNodes: nodes.map((node) => ({ socket: at(node) })) })),
  'node-redis, RESP2': async (nodes) =>
    opened(createCluster({ rootNodes: nodes.map((node) => ({ socket: at(node) })), RESP: 2 })),
  ioredis: async (nodes) => quitting(new ioredis.Cluster(nodes.map(at), { redisOptions: ONCE })),
  iovalkey: async (nodes) => quitting(new iovalkey.Cluster(nodes.map(at), { redisOptions: ONCE })),
  GLIDE: async (nodes) => {
    const client = await GlideClusterClient.createClient({ addresses: nodes.map(at) })
    return { client, close: async () => client.close() }
  },
}

/** Every kind of client that asks sentinels where the primary is. GLIDE cannot. */
export const behindSentinels: Readonly<
  Record<string, (name: string, sentinels: readonly Address[]) => Promise<Connected>>
> = {
  'node-redis': async (name, sentinels) =>
    opened(createSentinel({ name, sentinelRootNodes: sentinels.map(at) })),
  'node-redis, RESP2': async (name, sentinels) =>
    opened(createSentinel({ name, sentinelRootNodes: sentinels.map(at), RESP: 2 })),
  ioredis: async (name, sentinels) =>
    quitting(new ioredis.Redis({ name, sentinels: sentinels.map(at), ...ONCE })),
  iovalkey: async (name, sentinels) =>
    quitting(new iovalkey.Redis({ name, sentinels: sentinels.map(at), ...ONCE })),
}

/** A client that asks a sentinel where the primary is. */
export function throughSentinel(name: string, sentinel: Address): Promise<Connected> {
  return opened(createSentinel({ name, sentinelRootNodes: [at(sentinel)] }))
}

interface NodeRedisLike {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  close(): Promise<unknown>
  destroy(): unknown
}

async function opened(client: NodeRedisLike & RedisClient): Promise<Connected> {
  client.on('error', ignore)
  await client.connect()
  return { client, close: async () => client.destroy() }
}

interface IoredisLike {
  on(event: 'error', listener: () => void): unknown
  ping(): Promise<unknown>
  disconnect(): void
}

async function quitting(client: IoredisLike & RedisClient): Promise<Connected> {
  client.on('error', ignore)
  await client.ping()
  return { client, close: async () => client.disconnect() }
}
