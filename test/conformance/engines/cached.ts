import type { RedisStore } from '../../../src/stores/redis.ts'
import { EagerCache } from '../../support/eager-cache.ts'
import type { StartedEngine } from '../engines.ts'
import { startRedisEngine } from './redis.ts'

/** Redis with a near cache in every process. */
export async function startCachedEngine(): Promise<StartedEngine> {
  const { options, stop } = await startRedisEngine()
  const { engine } = options
  return {
    options: {
      ...options,
      store: async () => new EagerCache((await options.store()) as RedisStore),
      worker: new URL('../workers/cached.ts', import.meta.url),
      engine: {
        ...engine,
        elsewhere: async () => new EagerCache((await engine?.elsewhere?.()) as RedisStore),
      },
    },
    stop,
  }
}
