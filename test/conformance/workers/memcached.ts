import type { SessionStore } from '../../../src/store.ts'
import { MemcachedStore } from '../../../src/stores/memcached.ts'

export function store(): SessionStore {
  return new MemcachedStore({ servers: [process.env['KIT_MEMCACHED_SERVER'] ?? ''] })
}
