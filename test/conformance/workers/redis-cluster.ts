import { createCluster } from 'redis'
import type { SessionStore } from '../../../src/store.ts'
import { RedisStore } from '../../../src/stores/redis.ts'

/** A store over a cluster of node-redis. */
export async function store(): Promise<SessionStore> {
  const ports = (process.env['KIT_REDIS_PORTS'] ?? '').split(',').map(Number)
  const rootNodes = ports.map((port) => ({ socket: { host: '127.0.0.1', port } }))
  const cluster = createCluster({ rootNodes })
  cluster.on('error', () => {})
  await cluster.connect()
  return new RedisStore(cluster)
}
