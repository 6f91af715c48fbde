import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RemoteStore, StoreProcess } from '../../src/conformance/process.ts'
import type { StoreEvent } from '../../src/store.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { Gaps } from '../../src/stores/postgres/gaps.ts'
import {
  survivesTheConsumer,
  tellsAnotherProcess,
  tellsEachExpiryOnce,
} from '../support/event-programs.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { HOUR, newChange, newId, newRecord, withCode } from '../support/records.ts'

let server: PostgresServer
let pool: Pool
let here: PostgresStore
let there: RemoteStore

beforeAll(async () => {
  server = await startPostgres()
  pool = new Pool({ connectionString: server.url, max: 8 })
  here = new PostgresStore(pool)
  await here.migrate()
  there = await start()
}, 60_000)

afterAll(async () => {
  await there?.kill()
  await here?.close()
  await pool?.end()
  await server?.stop()
})

function start(): Promise<RemoteStore> {
  const worker = new URL('../conformance/workers/postgres.ts', import.meta.url)
  const env = { KIT_POSTGRES_URL: server.url }
  return StoreProcess.start({ worker, env, execArgv: ['--import', 'tsx'] })
}

/** A store with a table, and so with a log, of its own. */
async function newStore(table: string): Promise<PostgresStore> {
  const store = new PostgresStore(pool, { table })
  await store.migrate()
  return store
}

async function countOf(table: string): Promise<number> {
  const { rows } = await pool.query(`SELECT count(*)::int AS n FROM "${table}"`)
  return rows[0].n
}

describe('two processes that share a database', () => {
  test('hear of each other within a second', async () => {
    await expect(tellsAnotherProcess(here, there)).resolves.toBeUndefined()
  })

  test('sweep together and tell of every session once', async () => {
    await expect(tellsEachExpiryOnce(here, [there])).resolves.toBeUndefined()
  })

  test('share events: what a killed consumer had begun, another one handles', async () => {
    await expect(survivesTheConsumer(here, await start())).resolves.toBeUndefined()
  })
})

test('nothing is written while nobody listens', async () => {
  const store = await newStore('silent')
  const id = newId()
  await store.create(id, newRecord())
  await store.commit(id, newChange({ rotate: 'fence', user: 'alice' }))
  await store.tell({ type: 'replayed', id, at: Date.now() })
  await store.destroy(id)
  expect(await countOf('silent_events')).toBe(0)
  const stop = await store.watch(() => undefined)
  await store.create(id, newRecord())
  expect([await countOf('silent_events'), await countOf('silent_deliveries')]).toEqual([1, 0])
  await stop()
  await store.close()
})

test('a listener that has not been heard of for long is not written for', async () => {
  const store = await newStore('gone')
  await (
    await store.consume('mail', () => undefined)
  )()
  await (
    await store.watch(() => undefined)
  )()
  await pool.query('UPDATE gone_listeners SET until = 0')
  await store.create(newId(), newRecord())
  expect(await countOf('gone_events')).toBe(0)
  await store.deleteExpired(1)
  expect(await countOf('gone_listeners')).toBe(0)
})

test('an event whose transaction ends after that of a later one is told all the same', async () => {
  const store = await newStore('late')
  const [told, handled]: [StoreEvent[], StoreEvent[]] = [[], []]
  const stops = [
    await store.watch((event) => void told.push(event)),
    await store.consume('late', (event) => void handled.push(event)),
  ]
  const connection = await pool.connect()
  const [slow, quick] = [newId(), newId()]
  await connection.query('BEGIN')
  await new PostgresStore(connection, { table: 'late' }).create(slow, newRecord())
  await store.create(quick, newRecord())
  await expect.poll(() => [told.length, handled.length], { timeout: 10_000 }).toEqual([1, 1])
  await connection.query('COMMIT')
  connection.release()
  await expect.poll(() => [told.length, handled.length], { timeout: 10_000 }).toEqual([2, 2])
  await Promise.all(stops.map((stop) => stop()))
  expect(told.map(({ id }) => id)).toEqual([quick, slow])
  expect(handled.map(({ id }) => id)).toEqual([quick, slow])
})

test('a session that is made over an expired one is the end of that one', async () => {
  const store = await newStore('over')
  const told: StoreEvent[] = []
  const stop = await store.watch((event) => void told.push(event))
  const id = newId()
  const expiresAt = Date.now() + 1000
  await store.create(id, newRecord({ user: 'alice', expiresAt }))
  await sleep(expiresAt - Date.now() + 20)
  expect(await store.create(id, newRecord({ user: 'bob' }))).toBe(true)
  await store.destroy(id)
  await expect.poll(() => told.length, { timeout: 10_000 }).toBe(4)
  await stop()
  expect(told.map(({ type, user }) => [type, user])).toEqual([
    ['created', 'alice'],
    ['expired', 'alice'],
    ['created', 'bob'],
    ['destroyed', 'bob'],
  ])
})

test('events of a day ago are removed by sweeping, and by what is told', async () => {
  const store = await newStore('old')
  await (
    await store.consume('late', () => undefined)
  )()
  const old = { type: 'replayed', id: newId(), at: Date.now() - 25 * HOUR } as const
  for (let count = 0; count < 20; count++) await store.tell(old)
  await store.tell({ ...old, at: Date.now() })
  expect([await countOf('old_events'), await countOf('old_deliveries')]).toEqual([21, 21])
  expect(await store.deleteExpired(10)).toBe(0)
  expect([await countOf('old_events'), await countOf('old_deliveries')]).toEqual([1, 1])
  await pool.query(
    `SELECT old_tell('replayed', 'x', ${old.at}, NULL) FROM generate_series(1, 1000)`,
  )
  expect(await countOf('old_events')).toBeLessThan(1000)
})

test('listening goes on after the server has crashed and come back', async () => {
  const store = await newStore('crash')
  const [told, handled]: [StoreEvent[], StoreEvent[]] = [[], []]
  const stops = [
    await store.watch((event) => void told.push(event)),
    await store.consume('crash', (event) => void handled.push(event)),
  ]
  const [before, after] = [newId(), newId()]
  await store.create(before, newRecord())
  await server.kill()
  await server.start()
  await expect
    .poll(() => store.create(after, newRecord()).catch(() => false), { timeout: 20_000 })
    .toBe(true)
  const ids = (events: readonly StoreEvent[]): Set<string> => new Set(events.map(({ id }) => id))
  const both = new Set([before, after])
  await expect.poll(() => [ids(told), ids(handled)], { timeout: 20_000 }).toEqual([both, both])
  await Promise.all(stops.map((stop) => stop()))
}, 60_000)

test('an older table is said to need a migration', async () => {
  const store = await newStore('outdated')
  await pool.query('DROP FUNCTION outdated_tell')
  const refused = withCode('ERR_SESSION_STORE', 'migrate()')
  await expect(store.create(newId(), newRecord())).rejects.toEqual(refused)
  await store.migrate()
  expect(await store.create(newId(), newRecord())).toBe(true)
})

describe('gaps in a log', () => {
  test('are looked at again until they are filled', () => {
    const gaps = new Gaps()
    gaps.wereRead(5, [6, 9], 0)
    expect(gaps.missing).toEqual([7, 8])
    gaps.wereRead(9, [8, 10], 1)
    expect(gaps.missing).toEqual([7])
  })

  test('are given up after ten seconds, and are bounded in number', () => {
    const gaps = new Gaps()
    gaps.wereRead(0, [1_000_000], 0)
    expect(gaps.missing).toHaveLength(1000)
    gaps.wereRead(1_000_000, [], 10_001)
    expect(gaps.missing).toEqual([])
  })
})
