import type { StoreKitOptions, StoreNeed } from '../../src/conformance/index.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { startCachedEngine } from './engines/cached.ts'
import { startEmbeddedEngine, startToldEmbeddedEngine } from './engines/embedded.ts'
import { startEncryptedEngine } from './engines/encrypted.ts'
import { startMemcachedEngine } from './engines/memcached.ts'
import { startPostgresEngine } from './engines/postgres.ts'
import { startRedisClusterEngine, startRedisEngine, startRedisOfUrl } from './engines/redis.ts'
import { startSqliteEngine } from './engines/sqlite.ts'

/** An engine that the kit is run on. */
export interface Engine {
  /** What the store does not declare and what the kit is not given: checks that need it are not applicable. */
  readonly without: readonly StoreNeed[]
  readonly start: () => Promise<StartedEngine>
}

/** An engine that runs, and what the kit is given. */
export interface StartedEngine {
  readonly options: StoreKitOptions
  readonly stop: () => Promise<void>
}

const inspection = ['dump', 'immortal', 'corrupt', 'fromTheFuture', 'elsewhere'] as const
const outages = ['stop', 'start', 'cutNextReply'] as const
const telling = ['events', 'eventLog'] as const
const users = ['userIndex', 'list', 'userCap'] as const

const inOneProcess: Engine['without'] = [
  ...inspection,
  ...outages,
  'shared',
  'durable',
  'worker',
  'engineClock',
]

const inRedis: Engine['without'] = ['sweep']

/** Every engine. Another one needs an entry here, a worker module and a test file of two lines. */
export const engines = {
  memory: {
    without: inOneProcess,
    start: async () => ({ options: { store: () => new MemoryStore() }, stop: async () => {} }),
  },
  'memory with a clock of its own': {
    without: inOneProcess,
    start: async () => ({ options: withClock(), stop: async () => {} }),
  },
  embedded: {
    without: [...outages, ...telling, 'engineClock'],
    start: () => startEmbeddedEngine(),
  },
  'embedded with a log': {
    without: [...outages, 'engineClock'],
    start: startToldEmbeddedEngine,
  },
  sqlite: { without: [...outages, 'engineClock'], start: startSqliteEngine },
  'sqlite with encrypted values': {
    without: [...outages, 'engineClock', 'dump', 'fromTheFuture'],
    start: startEncryptedEngine,
  },
  redis: { without: inRedis, start: startRedisEngine },
  'redis cluster': { without: [...inRedis, 'cutNextReply'], start: startRedisClusterEngine },
  'redis with a near cache': { without: inRedis, start: startCachedEngine },
  'redis at REDIS_URL': {
    without: [...inRedis, ...inspection, ...outages],
    start: startRedisOfUrl,
  },
  memcached: {
    without: [...users, ...telling, 'sweep', 'durable', 'engineClock'],
    start: startMemcachedEngine,
  },
  postgres: { without: [], start: startPostgresEngine },
} as const satisfies Readonly<Record<string, Engine>>

/** The names of the engines. */
export type EngineName = keyof typeof engines

function withClock(): StoreKitOptions {
  let time = 1_000_000_000_000
  const now = (): number => time
  const advance = (ms: number): void => void (time += ms)
  return { store: () => new MemoryStore({ now }), clock: { now, advance } }
}
