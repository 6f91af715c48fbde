import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, storeChecks } from '../../src/conformance/index.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { clustered, single } from '../support/redis-clients.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import type { RedisCluster } from '../support/redis-cluster.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

// What needs more than one key, or an answer that is no plain text.
const NEEDS = new Set(['userIndex', 'userCap', 'list', 'events', 'eventLog'])
const checks = storeChecks.filter(({ needs = [] }) => needs.some((need) => NEEDS.has(need)))
const FEW = { rounds: 4, writers: 8 }

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})

afterAll(async () => {
  await Promise.all([server?.stop(), cluster?.stop()])
})

const ways = [
  ...Object.entries(single).map(([name, connect]) => ({
    name,
    connect: () => connect([server]),
  })),
  ...Object.entries(clustered).map(([name, connect]) => ({
    name: `a cluster of ${name}`,
    connect: () => connect(cluster.nodes),
  })),
]

// Each has a prefix of its own; all at once, since most of the time is spent waiting.
test.concurrent.each(ways)(
  'through $name users, limits, listing and events keep the contract',
  { timeout: 120_000 },
  async ({ name, connect }) => {
    const connected = await connect()
    const store = (): RedisStore =>
      new RedisStore(connected.client, { prefix: `${name}:`, deadline: '10s' })
    const report = await run(checks, { store, ...FEW })
    await connected.close()
    expect(report.toString()).toMatch(/, 0 failed/)
    expect(report.failed).toBe(0)
  },
)
