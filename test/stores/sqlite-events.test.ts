import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'libsql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RemoteStore, StoreProcess } from '../../src/conformance/process.ts'
import type { StoreEvent } from '../../src/store.ts'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { openSqlite } from '../conformance/workers/sqlite.ts'
import {
  survivesTheConsumer,
  tellsAnotherProcess,
  tellsEachExpiryOnce,
} from '../support/event-programs.ts'
import { HOUR, newChange, newId, newRecord, withCode } from '../support/records.ts'

let directory: string
let database: Database.Database
let here: SqliteStore
let there: RemoteStore

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sojourn-sqlite-events-'))
  database = openSqlite(join(directory, 'sessions.db'))
  here = new SqliteStore(database)
  await here.ready()
  there = await start()
}, 60_000)

afterAll(async () => {
  await there.kill()
  await here.close()
  database.close()
  await rm(directory, { recursive: true, force: true })
})

function start(): Promise<RemoteStore> {
  const worker = new URL('../conformance/workers/sqlite.ts', import.meta.url)
  const env = { KIT_SQLITE_PATH: join(directory, 'sessions.db') }
  return StoreProcess.start({ worker, env, execArgv: ['--import', 'tsx'] })
}

function openNew(name: string, now?: () => number): [SqliteStore, Database.Database] {
  const file = openSqlite(join(directory, name))
  return [new SqliteStore(file, now === undefined ? {} : { now }), file]
}

const countOf = (file: Database.Database, table: string): unknown =>
  Object(file.prepare(`SELECT count(*) AS n FROM "sojourn_sessions_${table}"`).get()).n

describe('two processes that share a file', () => {
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
  const [store, file] = openNew('silent.db')
  const id = newId()
  await store.create(id, newRecord())
  await store.commit(id, newChange({ rotate: 'fence', user: 'alice' }))
  await store.tell({ type: 'replayed', id, at: Date.now() })
  await store.destroy(id)
  expect([countOf(file, 'events'), countOf(file, 'deliveries')]).toEqual([0, 0])
  const stop = await store.watch(() => undefined)
  await store.create(id, newRecord())
  expect([countOf(file, 'events'), countOf(file, 'deliveries')]).toEqual([1, 0])
  await stop()
  await store.close()
  file.close()
})

test('a listener that has not been heard of for long is not written for', async () => {
  const [store, file] = openNew('gone.db')
  await (
    await store.consume('mail', () => undefined)
  )()
  await (
    await store.watch(() => undefined)
  )()
  file.exec('UPDATE sojourn_sessions_listeners SET until = 0')
  await store.create(newId(), newRecord())
  expect(countOf(file, 'events')).toBe(0)
  await store.close()
  file.close()
})

test('a session that is made over an expired one is the end of that one', async () => {
  let now = Date.now()
  const [store, file] = openNew('over.db', () => now)
  const told: StoreEvent[] = []
  const stop = await store.watch((event) => void told.push(event))
  const id = newId()
  await store.create(id, newRecord({ user: 'alice' }))
  now += 2 * HOUR
  await store.create(id, newRecord({ user: 'bob' }))
  await store.destroy(id)
  await expect.poll(() => told.length).toBe(4)
  await stop()
  expect(told.map(({ type, user }) => [type, user])).toEqual([
    ['created', 'alice'],
    ['expired', 'alice'],
    ['created', 'bob'],
    ['expired', 'bob'],
  ])
  await store.close()
  file.close()
})

test('events of a day ago are removed by sweeping, and by what is told', async () => {
  let now = Date.now() - 25 * HOUR
  const [store, file] = openNew('old.db', () => now)
  await (
    await store.consume('late', () => undefined)
  )()
  for (let count = 0; count < 120; count++) {
    await store.tell({ type: 'replayed', id: newId(), at: now })
  }
  expect([countOf(file, 'events'), countOf(file, 'deliveries')]).toEqual([120, 120])
  now += 26 * HOUR
  expect(await store.deleteExpired(10)).toBe(0)
  expect([countOf(file, 'events'), countOf(file, 'deliveries')]).toEqual([0, 0])
  for (let count = 0; count < 100; count++) {
    await store.tell({ type: 'replayed', id: newId(), at: now - 25 * HOUR })
  }
  expect(Number(countOf(file, 'events'))).toBeLessThan(100)
  await store.close()
  file.close()
})

test('a group has a name', async () => {
  await expect(here.consume('', () => {})).rejects.toThrow(withCode('ERR_SESSION_OPTION'))
})
