import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { HOUR, newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'

let directory: string
let files = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sojourn-sqlite-'))
})

afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

function newPath(): string {
  return join(directory, `${(files += 1)}.db`)
}

describe('opening', () => {
  test('a path is opened with the SQLite of Node, or refused with what to do instead', async () => {
    const modes = { file: 0o600, log: 0o600, directory: 0o700 }
    const hasSqlite = process.getBuiltinModule('node:sqlite') !== undefined
    const refused = withCode('ERR_SESSION_OPTION', 'libsql')
    expect(await modesOf(join(directory, 'made')).catch((error: unknown) => error)).toEqual(
      hasSqlite ? modes : refused,
    )
  })

  /** The modes of what a store makes in a directory that is not there, after a session was kept in it. */
  async function modesOf(made: string): Promise<unknown> {
    const path = join(made, 'sessions.db')
    const store = new SqliteStore(path)
    const id = newId()
    await store.create(id, newRecord())
    const mode = async (name: string): Promise<number> => (await stat(name)).mode & 0o777
    const modes = {
      file: await mode(path),
      log: await mode(`${path}-wal`),
      directory: await mode(made),
    }
    await store.close()
    const again = new SqliteStore(path)
    if ((await again.load(id)) === undefined) return 'lost'
    await again.close()
    return modes
  }

  test('nothing is touched before the first call', async () => {
    const database = new Database(newPath())
    const store = new SqliteStore(database, { table: 'visits' })
    const tables = (): unknown[] => database.prepare('SELECT name FROM sqlite_master').all()
    expect(tables()).toEqual([])
    await store.ready()
    expect(tables()).toHaveLength(8)
    database.close()
  })

  test('closing leaves a database open that was given', async () => {
    const database = new Database(newPath())
    const store = new SqliteStore(database)
    await store.ready()
    await store.close()
    await store.close()
    await expect(store.ready()).rejects.toEqual(withCode('ERR_SESSION_CLOSED'))
    expect(database.open).toBe(true)
    database.close()
  })

  test('a database in memory declares that it is of this process and ends with it', () => {
    const file = new SqliteStore(new Database(newPath())).capabilities
    expect([file.shared, file.durable]).toEqual(['machine', 'engine'])
    const memory = new SqliteStore(new Database(':memory:')).capabilities
    expect([memory.shared, memory.durable]).toEqual(['process', 'no'])
  })

  test.each(['', '1st', 'a b', 'a"b', "a';--", 'é', 'x'.repeat(64)])(
    'the table name %j is refused',
    (table) => {
      expect(() => new SqliteStore(new Database(':memory:'), { table })).toThrow(
        withCode('ERR_SESSION_OPTION', 'table'),
      )
    },
  )

  test('what is no database, and an unknown option, are refused', () => {
    for (const wrong of [undefined, null, 5, {}, { exec: () => undefined }]) {
      expect(() => new SqliteStore(wrong as any)).toThrow(withCode('ERR_SESSION_OPTION'))
    }
    const options: object = { tabel: 'x' }
    expect(() => new SqliteStore(new Database(':memory:'), options)).toThrow(
      withCode('ERR_SESSION_OPTION', "'table'"),
    )
  })
})

describe('time', () => {
  test('the clock that was given decides what has expired', async () => {
    let now = 1_000
    const store = new SqliteStore(new Database(':memory:'), { now: () => now })
    const record = newRecord({ createdAt: 0, expiresAt: 2_000, deadline: 9_000 })
    const ids = Array.from({ length: 7 }, newId)
    for (const id of ids) await store.create(id, { ...record, user: 'alice' })
    const [live] = ids
    now = 1_999
    await store.load(live!, newTouch({ at: now, expiresAt: 4_000, whenBefore: 3_000 }))
    now = 2_000
    expect(await store.sessionsOf('alice')).toEqual([live])
    expect((await store.list()).ids).toEqual([live])
    expect(await store.destroy(ids[1]!)).toBe(false)
    expect(await store.deleteExpired(4)).toBe(4)
    expect(await store.deleteExpired(4)).toBe(1)
    expect(await store.deleteExpired(4)).toBe(0)
    expect((await store.load(live!))?.expiresAt).toBe(4_000)
  })
})

describe('listing', () => {
  test('many sessions come in pages', async () => {
    const store = new SqliteStore(new Database(':memory:'))
    const ids = Array.from({ length: 600 }, newId)
    for (const id of ids) await store.create(id, newRecord())
    const first = await store.list()
    const second = await store.list(first.cursor)
    expect([first.ids.length, second.ids.length, second.cursor]).toEqual([500, 100, undefined])
    expect(new Set([...first.ids, ...second.ids])).toEqual(new Set(ids))
  })
})

describe('faults', () => {
  test('a write that another connection keeps from happening is an error; reading goes on', async () => {
    const path = newPath()
    const [database, other] = [new Database(path), new Database(path)]
    const store = new SqliteStore(database, { deadline: '60ms' })
    const id = newId()
    await store.create(id, newRecord())
    other.exec('BEGIN IMMEDIATE')
    const start = performance.now()
    await expect(store.commit(id, newChange())).rejects.toEqual(withCode('ERR_SESSION_TIMEOUT'))
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(await store.load(id)).toBeDefined()
    other.exec('ROLLBACK')
    await new SqliteStore(other).commit(id, newChange({ set: new Map([['b', '2']]) }))
    expect((await store.load(id))?.values.get('b')).toBe('2')
    expect(await store.commit(id, newChange())).toMatchObject({ generation: 0 })
    database.close()
    other.close()
  })

  test('a full disk is an error, and what was stored before stays', async () => {
    const database = new Database(newPath())
    const store = new SqliteStore(database)
    const id = newId()
    await store.create(id, newRecord())
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() as {
      page_count: number
    }
    database.exec(`PRAGMA max_page_count = ${pages}`)
    const large = newChange({ set: new Map([['large', 'x'.repeat(100_000)]]) })
    await expect(store.commit(id, large)).rejects.toEqual(withCode('ERR_SESSION_STORE'))
    expect([...((await store.load(id))?.values ?? [])]).toEqual([['a', '"1"']])
    expect(await store.take(id, 'a')).toBe('"1"')
    database.close()
  })

  test('a file that is no database is an error, and is left as it is', async () => {
    const path = newPath()
    await writeFile(path, 'these are the notes of somebody else\n'.repeat(500))
    const database = new Database(path)
    await expect(new SqliteStore(database).load(newId())).rejects.toEqual(
      withCode('ERR_SESSION_STORE'),
    )
    database.close()
    expect(await readFile(path, 'utf8')).toMatch(/^these are the notes/)
  })

  test('a database that cannot be written is an error at once', async () => {
    const path = newPath()
    const database = new Database(path)
    const id = newId()
    const record = newRecord()
    await new SqliteStore(database).create(id, record)
    database.exec('PRAGMA query_only = ON')
    const store = new SqliteStore(database)
    const start = performance.now()
    await expect(store.commit(id, newChange())).rejects.toEqual(withCode('ERR_SESSION_STORE'))
    expect(performance.now() - start).toBeLessThan(1_000)
    database.close()
  })

  test('a transaction of the program is not ended by the store', async () => {
    const database = new Database(newPath())
    const store = new SqliteStore(database)
    await store.ready()
    database.exec('CREATE TABLE mine (n INTEGER)')
    database.exec('BEGIN')
    database.exec('INSERT INTO mine VALUES (1)')
    await expect(store.create(newId(), newRecord())).rejects.toEqual(withCode('ERR_SESSION_STORE'))
    database.exec('COMMIT')
    expect(database.prepare('SELECT n FROM mine').all()).toHaveLength(1)
    expect(await store.create(newId(), newRecord())).toBe(true)
    database.close()
  })

  test('a damaged record is an error, is kept, and can be destroyed', async () => {
    const database = new Database(newPath())
    const store = new SqliteStore(database)
    for (const damaged of [Buffer.from('S\x01nothing of a record'), 'text', Buffer.alloc(0)]) {
      const id = newId()
      await store.create(id, newRecord({ expiresAt: Date.now() + HOUR }))
      database.prepare('UPDATE sojourn_sessions SET record = ? WHERE id = ?').run(damaged, id)
      await expect(store.load(id)).rejects.toEqual(withCode('ERR_SESSION_CORRUPT'))
      await expect(store.commit(id, newChange())).rejects.toEqual(withCode('ERR_SESSION_CORRUPT'))
      expect(await store.destroy(id)).toBe(true)
    }
    database.close()
  })
})
