import type { SessionStore } from '../../../src/store.ts'
import { RedisStore } from '../../../src/stores/redis.ts'
import { EagerCache } from '../../support/eager-cache.ts'

/** The client is loaded first: on a busy machine that takes longer than a call may. */
export async function store(): Promise<SessionStore> {
  await import('redis')
  return new EagerCache(new RedisStore({ url: process.env['KIT_REDIS_URL'] ?? '' }))
}
