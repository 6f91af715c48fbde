import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { isSessionError } from '../../src/errors.ts'
import { SessionManager } from '../../src/manager.ts'
import type { SessionStore } from '../../src/store.ts'
import { EmbeddedStore } from '../../src/stores/embedded.ts'
import { MemcachedStore } from '../../src/stores/memcached.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { openSqlite } from '../conformance/workers/sqlite.ts'
import { CountingStore } from '../support/counting-store.ts'
import { startMemcached } from '../support/memcached.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { SECRET } from '../support/stage.ts'
import { Visitor } from '../support/visitor.ts'

vi.setConfig({ testTimeout: 90_000 })

const REQUESTS = 500
const DEADLINE = '400ms'
// After so many failures in a row a store is left alone, but for one call in a second.
const FAILURES = 5

interface Breakable {
  readonly store: SessionStore
  /** From now on every call fails, or is not answered. */
  readonly fail: () => Promise<void> | void
  readonly heal: () => Promise<void> | void
  readonly stop: () => Promise<unknown>
}

const engines: Readonly<Record<string, () => Promise<Breakable>>> = {
  redis: async () => {
    const server = await startRedis()
    const store = new RedisStore({ url: server.url }, { deadline: DEADLINE })
    return { store, ...freezing(server), stop: () => server.stop() }
  },
  memcached: async () => {
    const server = await startMemcached()
    const store = new MemcachedStore({ servers: [server.address], deadline: DEADLINE })
    return { store, ...freezing(server), stop: () => server.stop() }
  },
  sqlite: startSqlite,
  postgres: async () => {
    const server = await startPostgres()
    const pool = new Pool({ connectionString: server.url })
    const store = new PostgresStore(pool, { deadline: DEADLINE })
    await new PostgresStore(pool).migrate()
    return { store, ...freezing(server), stop: async () => [await pool.end(), await server.stop()] }
  },
}

/** Its table is not there for a while. */
async function startSqlite(): Promise<Breakable> {
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-outage-'))
  const [database, admin] = [0, 1].map(() => openSqlite(join(directory, 'sessions.db')))
  const store = new SqliteStore(database!, { deadline: DEADLINE })
  return {
    store,
    fail: () => void admin?.exec('ALTER TABLE sojourn_sessions RENAME TO away'),
    heal: () => void admin?.exec('ALTER TABLE away RENAME TO sojourn_sessions'),
    stop: async () => {
      database?.close()
      admin?.close()
      await rm(directory, { recursive: true })
    },
  }
}

function freezing(server: { pause(): void; resume(): void }): Pick<Breakable, 'fail' | 'heal'> {
  return { fail: () => server.pause(), heal: () => server.resume() }
}

describe.each(Object.entries(engines))('%s, away', (engine, start) => {
  test('costs no request more than microseconds, logs nobody out, and is found again', async () => {
    const { store, fail, heal, stop } = await start()
    const counted = new CountingStore(store)
    const failing = new SessionManager({ secret: SECRET, store: counted })
    const anonymous = new SessionManager({
      ...{ secret: SECRET, store: counted, onStoreFailure: 'anonymous' },
    })
    const alice = new Visitor(failing)
    const logIn = (): Promise<unknown> =>
      alice.request((session) => session.login('alice')).then(() => 'in', String)
    await expect.poll(logIn, { timeout: 20_000 }).toBe('in')
    try {
      await fail()
      await exhaust(failing, alice.cookie)
      await exhaust(anonymous, alice.cookie)
      const { spent, asked } = await dead(failing, counted, alice.cookie)
      console.log(
        `${engine} away: ${spent.toFixed(1)} µs for a request, ${asked} calls of ${REQUESTS}`,
      )
      const stranger = await anonymous.open(alice.cookie)
      expect(stranger.established).toBe(false)
      expect(stranger.user).toBeUndefined()
      stranger.set('a', 1)
      await expect(anonymous.commit(stranger)).rejects.toMatchObject({ status: 503 })
    } finally {
      await heal()
    }
    for (const manager of [failing, anonymous]) {
      const user = async (): Promise<unknown> =>
        (await manager.open(alice.cookie).catch(() => undefined))?.user
      await expect.poll(user, { timeout: 20_000 }).toBe('alice')
    }
    await store.close?.()
    await stop()
  })
})

test('embedded, where it cannot open its directory, is asked as rarely, and found again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-outage-'))
  const path = join(directory, 'sessions')
  await writeFile(path, 'not a directory')
  const store = new EmbeddedStore({ path })
  const counted = new CountingStore(store)
  const manager = new SessionManager({ secret: SECRET, store: counted })
  const cookie = await cookieOf(manager)
  await exhaust(manager, cookie)
  const { spent, asked } = await dead(manager, counted, cookie)
  console.log(`embedded away: ${spent.toFixed(1)} µs for a request, ${asked} calls of ${REQUESTS}`)
  await rm(path)
  await mkdir(path)
  const open = (): Promise<unknown> =>
    manager.open(cookie).then(({ established }) => established, String)
  await expect.poll(open, { timeout: 20_000 }).toBe(false)
  await store.close()
  await rm(directory, { recursive: true })
})

/** A genuine cookie, made without the store that is away. */
async function cookieOf({ cookieName }: SessionManager): Promise<string> {
  const elsewhere = new Visitor(new SessionManager({ secret: SECRET, store: new MemoryStore() }))
  await elsewhere.request((session) => session.set('a', 1))
  expect(elsewhere.cookie).toContain(cookieName)
  return elsewhere.cookie ?? ''
}

/** Requests until the store is left alone. */
async function exhaust(manager: SessionManager, cookie: string | undefined): Promise<void> {
  const calls = Array.from({ length: FAILURES }, () => manager.open(cookie).catch(() => undefined))
  await Promise.all(calls)
}

/** What a request costs then, in µs, and how many of them asked the store. */
async function dead(
  manager: SessionManager,
  store: CountingStore,
  cookie: string | undefined,
): Promise<{ spent: number; asked: number }> {
  store.since()
  const times: number[] = []
  const begun = performance.now()
  for (let n = 0; n < REQUESTS; n++) {
    const start = performance.now()
    const told = await manager.open(cookie).catch((error: unknown) => error)
    times.push((performance.now() - start) * 1000)
    expect(isSessionError(told) && told.status).toBe(503)
  }
  const asked = store.since().length
  expect(asked).toBeLessThanOrEqual(2 + (performance.now() - begun) / 1000)
  const spent = times.toSorted((a, b) => a - b)[REQUESTS >> 1] ?? 0
  // Far below any deadline; a free machine needs some twenty.
  expect(spent).toBeLessThan(5000)
  return { spent, asked }
}
