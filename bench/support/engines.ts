import { startMemcached } from '../../test/support/memcached.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { moveToOtherCore } from './cpus.ts'
import { Redis } from './engine.ts'

/** Every engine that is a server, on the other core. */
export interface Engines {
  /** What a measured process is told. */
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Starts Redis, Memcached and PostgreSQL. */
export async function startEngines(): Promise<Engines> {
  const redis = await Redis.start()
  const memcached = await startMemcached()
  // As it is installed: an answered write is on the disk.
  const postgres = await startPostgres({ settings: { fsync: 'on' } })
  for (const { pid } of [memcached, postgres]) moveToOtherCore(pid)
  return {
    env: {
      ...redis.env,
      BENCH_MEMCACHED: memcached.address,
      BENCH_POSTGRES_URL: postgres.url,
    },
    stop: async () => {
      await Promise.all([redis.stop(), memcached.stop(), postgres.stop()])
    },
  }
}
