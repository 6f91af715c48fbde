/**
 * The engines as a measured process has them.
 *
 * @module
 */

import { open } from 'lmdb'
import { clusterClient, fastClient } from './redis.js'
import { directory, load, memcachedAddress, postgresUrl, redisUrl } from './settings.js'

/**
 * A store of that engine, ready, of the build in `dist`.
 *
 * @returns the store, and by what it reaches its engine, to reach it without the store
 */
export async function openStore(engine, dist) {
  const opened = await ENGINES[engine](dist)
  await opened.store.ready?.()
  return opened
}

const ENGINES = {
  memory: async (dist) => {
    const { MemoryStore } = await load('stores/memory', dist)
    return { store: new MemoryStore() }
  },
  embedded: async (dist) => {
    const { EmbeddedStore } = await load('stores/embedded', dist)
    return { store: new EmbeddedStore({ path: `${directory}/sessions-${process.pid}` }) }
  },
  redis: async (dist) => {
    const { RedisStore } = await load('stores/redis', dist)
    return { store: new RedisStore({ url: redisUrl }) }
  },
  // As little as connect-redis keeps: nobody lists sessions, asks for those of a user, or listens.
  'redis-lean': async (dist) => {
    const { RedisStore } = await load('stores/redis', dist)
    return { store: new RedisStore({ url: redisUrl }, { registry: false, userIndex: false }) }
  },
  cluster: async (dist) => onRedis(await clusterClient(), dist),
  'node-redis': async (dist) => onRedis(await fastClient(), dist),
  ioredis: async (dist) => {
    const { Redis } = await import('ioredis')
    return onRedis(new Redis(redisUrl), dist)
  },
  iovalkey: async (dist) => {
    const { Redis } = await import('iovalkey')
    return onRedis(new Redis(redisUrl), dist)
  },
  glide: async (dist) => {
    const { GlideClient, Logger } = await import('@valkey/valkey-glide')
    Logger.init('off')
    const { hostname: host, port } = new URL(redisUrl)
    return onRedis(
      await GlideClient.createClient({ addresses: [{ host, port: Number(port) }] }),
      dist,
    )
  },
  memcached: async (dist) => {
    const { MemcachedStore } = await load('stores/memcached', dist)
    return { store: new MemcachedStore({ servers: [memcachedAddress] }) }
  },
  postgres: async (dist) => {
    const [{ PostgresStore }, { default: pg }] = [
      await load('stores/postgres', dist),
      await import('pg'),
    ]
    const client = new pg.Pool({ connectionString: postgresUrl, max: 10 })
    const store = new PostgresStore(client)
    await store.migrate()
    return { store, client }
  },
  sqlite: async (dist) => {
    const { SqliteStore } = await load('stores/sqlite', dist)
    const { default: Database } = await import('libsql')
    const client = new Database(`${directory}/sessions-${process.pid}.db`)
    return { store: new SqliteStore(client), client }
  },
}

async function onRedis(client, dist) {
  const { RedisStore } = await load('stores/redis', dist)
  return { store: new RedisStore(client), client }
}

/**
 * What an engine does by itself: a read and a write of one text under a key, with the same client and the
 * same promise of what an answered write survives.
 */
export const RAW = {
  memory: () => {
    const kept = new Map()
    return { read: (key) => kept.get(key), write: (key, text) => kept.set(key, text) }
  },
  embedded: () => {
    const settings = { encoding: 'binary', overlappingSync: false, eventTurnBatching: false }
    const database = open(`${directory}/raw-${process.pid}`, settings)
    return {
      read: (key) => database.get(key)?.toString(),
      write: (key, text) => database.put(key, Buffer.from(text)),
    }
  },
  'node-redis': ({ client }) => ({
    read: (key) => client.get(key),
    write: (key, text) => client.set(key, text),
  }),
  ioredis: ({ client }) => RAW['node-redis']({ client }),
  iovalkey: ({ client }) => RAW['node-redis']({ client }),
  glide: ({ client }) => RAW['node-redis']({ client }),
  memcached: async () => {
    const { Connection } = await load('stores/memcached/connection')
    const { parseAddress } = await load('stores/memcached/address')
    const connection = new Connection(parseAddress(memcachedAddress), 5000)
    return {
      read: async (key) => Buffer.from((await connection.send(`mg ${key} v`)).value).toString(),
      write: (key, text) => {
        return connection.send(`ms ${key} ${Buffer.byteLength(text)}`, Buffer.from(text))
      },
    }
  },
  postgres: async ({ client }) => {
    await client.query('CREATE TABLE IF NOT EXISTS raw (key text PRIMARY KEY, value text)')
    const read = { name: 'raw-read', text: 'SELECT value FROM raw WHERE key = $1' }
    const write = {
      name: 'raw-write',
      text: 'INSERT INTO raw VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2',
    }
    return {
      read: async (key) => (await client.query({ ...read, values: [key] })).rows[0].value,
      write: (key, text) => client.query({ ...write, values: [key, text] }),
    }
  },
  sqlite: ({ client }) => {
    client.exec('CREATE TABLE raw (key text PRIMARY KEY, value text)')
    const read = client.prepare('SELECT value FROM raw WHERE key = ?')
    const write = client.prepare('INSERT OR REPLACE INTO raw VALUES (?, ?)')
    return { read: (key) => read.get(key).value, write: (key, text) => write.run(key, text) }
  },
}
