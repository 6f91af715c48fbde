import * as ioredis from 'ioredis'
import * as iovalkey from 'iovalkey'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { RedisStore } from '../../src/stores/redis.ts'
import type { RedisClient } from '../../src/stores/redis.ts'

const idle = { lazyConnect: true } as const
const ONCE = { autoResendUnfulfilledCommands: false } as const
const nodes = [{ host: '127.0.0.1', port: 1 }]

/** The codes of the warnings of making a store with a client, which is never connected. */
function warnings(client: RedisClient & { disconnect(): void }): unknown[] {
  const warn = vi.spyOn(process, 'emitWarning').mockReset().mockReturnValue()
  const store = new RedisStore(client)
  void store.close()
  client.disconnect()
  return warn.mock.calls.map(([, options]) => (options as { code?: string }).code)
}

afterEach(() => void vi.restoreAllMocks())

const clients = {
  ioredis: {
    single: (options: object) => new ioredis.Redis({ ...idle, ...options }),
    cluster: (options: object) => new ioredis.Cluster(nodes, { ...idle, ...options }),
  },
  iovalkey: {
    single: (options: object) => new iovalkey.Redis({ ...idle, ...options }),
    cluster: (options: object) => new iovalkey.Cluster(nodes, { ...idle, ...options }),
  },
} as const

describe.each(Object.entries(clients))('a client of %s', (_name, { single, cluster }) => {
  test('that sends commands again is warned of, alone and in a cluster', () => {
    expect(warnings(single({}))).toEqual(['SOJOURN_REDIS_RESEND'])
    expect(warnings(cluster({}))).toEqual(['SOJOURN_REDIS_RESEND'])
  })

  test('that was told not to is not', () => {
    expect(warnings(single(ONCE))).toEqual([])
    expect(warnings(cluster({ redisOptions: ONCE }))).toEqual([])
  })
})
