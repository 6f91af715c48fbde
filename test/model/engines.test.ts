import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { Pool } from 'pg'
import { expect, test, vi } from 'vitest'
import type { SessionStore } from '../../src/store.ts'
import { EmbeddedStore } from '../../src/stores/embedded.ts'
import { MemcachedStore } from '../../src/stores/memcached.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { openSqlite } from '../conformance/workers/sqlite.ts'
import { startMemcached } from '../support/memcached.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { steps } from './commands.ts'
import { World } from './world.ts'

vi.setConfig({ testTimeout: 120_000 })

// Whichever comes first.
const RUNS = 30
const MOST = 20_000

// Else the steps would not be worth much.
const HAPPENED = ['created', 'elevated', 'destroyed'] as const

interface Running {
  readonly store: SessionStore
  readonly stop: () => Promise<unknown>
}

type Engine = (now: () => number) => Promise<Running>

/** Engines by whose clock the process decides what has expired: it can be moved. */
const ofProcess: Readonly<Record<string, Engine>> = {
  memory: async (now) => ({ store: new MemoryStore({ now }), stop: async () => {} }),
  embedded: async (now) => {
    const path = await mkdtemp(join(tmpdir(), 'sojourn-model-'))
    const store = new EmbeddedStore({ path, now })
    return { store, stop: () => rm(path, { recursive: true }) }
  },
  sqlite: async (now) => {
    const database = openSqlite(':memory:')
    return { store: new SqliteStore(database, { now }), stop: async () => database.close() }
  },
  memcached: async (now) => {
    const server = await startMemcached()
    const store = new MemcachedStore({ servers: [server.address], now })
    return { store, stop: () => server.stop() }
  },
}

/** Engines that have a clock of their own. */
const ofEngine: Readonly<Record<string, Engine>> = {
  redis: async () => {
    const server = await startRedis()
    return { store: new RedisStore({ url: server.url }), stop: () => server.stop() }
  },
  postgres: async () => {
    const server = await startPostgres()
    const pool = new Pool({ connectionString: server.url })
    const store = new PostgresStore(pool)
    await store.migrate()
    return { store, stop: async () => [await pool.end(), await server.stop()] }
  },
}

test.each(Object.entries(ofProcess))(
  '%s: whatever is done, what must be true is',
  async (_, start) => {
    let time = Date.now()
    const now = (): number => time
    const told = await explore(await start(now), now, (ms) => void (time += ms))
    for (const type of HAPPENED) expect(told).toContain(type)
  },
)

test.each(Object.entries(ofEngine))(
  '%s: whatever is done, what must be true is',
  async (_, start) => {
    const told = await explore(await start(Date.now), Date.now, undefined)
    for (const type of HAPPENED) expect(told).toContain(type)
  },
)

/** What happened while the steps were taken, by the types of the events. */
async function explore(
  { store, stop }: Running,
  now: () => number,
  advance: ((ms: number) => void) | undefined,
): Promise<ReadonlySet<string>> {
  const told = new Set<string>()
  const property = fc.asyncProperty(steps, async (commands) => {
    const world = new World(store, now)
    await fc.asyncModelRun(() => ({ model: {}, real: { world, advance } }), commands)
    for (const { type } of world.events) told.add(type)
  })
  try {
    await store.ready?.()
    await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: MOST })
    return told
  } finally {
    await store.close?.()
    await stop()
  }
}
