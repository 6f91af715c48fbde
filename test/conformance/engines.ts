import type { StoreKitOptions, StoreNeed } from '../../src/conformance/index.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { startEmbeddedEngine, startToldEmbeddedEngine } from './engines/embedded.ts'
import { startEncryptedEngine } from './engines/encrypted.ts'
import { startMemcachedEngine } from './engines/memcached.ts'
import { startPostgresEngine } from './engines/postgres.ts'
import { startRedisEngine } from './engines/redis.ts'
import { startSqliteEngine } from './engines/sqlite.ts'

/** An engine that the kit is run on. */
export interface Engine {
  /** What the kit is not given here, so that some checks are skipped. */
  readonly without: readonly StoreNeed[]
  readonly start: () => Promise<StartedEngine>
}

/** An engine that runs, and what the kit is given. */
export interface StartedEngine {
  readonly options: StoreKitOptions
  readonly stop: () => Promise<void>
}

const inspection = ['dump', 'immortal'] as const
const faults = ['stop', 'start', 'cutNextReply', 'corrupt', 'fromTheFuture'] as const

/** Every engine. Another one needs an entry here, a worker module and a test file of two lines. */
export const engines = {
  memory: {
    without: [...inspection, ...faults, 'elsewhere'],
    start: async () => ({ options: { store: () => new MemoryStore() }, stop: async () => {} }),
  },
  'memory with a clock of its own': {
    without: [...inspection, ...faults, 'elsewhere'],
    start: async () => ({ options: withClock(), stop: async () => {} }),
  },
  embedded: { without: ['stop', 'start', 'cutNextReply'], start: () => startEmbeddedEngine() },
  'embedded with a log': {
    without: ['stop', 'start', 'cutNextReply'],
    start: startToldEmbeddedEngine,
  },
  sqlite: { without: ['stop', 'start', 'cutNextReply'], start: startSqliteEngine },
  'sqlite with encrypted values': {
    without: ['stop', 'start', 'cutNextReply', 'dump', 'fromTheFuture'],
    start: startEncryptedEngine,
  },
  redis: { without: [], start: startRedisEngine },
  memcached: { without: [], start: startMemcachedEngine },
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
