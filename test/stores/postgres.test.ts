import { Pool } from 'pg'
import type { QueryConfig, QueryResult } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'

let server: PostgresServer
let pool: Pool
let store: PostgresStore

beforeAll(async () => {
  server = await startPostgres()
  pool = new Pool({ connectionString: server.url, max: 8 })
  store = new PostgresStore(pool)
  await store.migrate()
})

afterAll(async () => {
  await pool?.end()
  await server?.stop()
})

beforeEach(async () => {
  await pool.query('TRUNCATE sojourn_sessions')
})

describe('statements', () => {
  test('every verb is one statement', async () => {
    let statements = 0
    const query = (config: QueryConfig): Promise<QueryResult> => {
      statements += 1
      return pool.query(config)
    }
    const counted = new PostgresStore({ query })
    const id = newId()
    const touch = newTouch()
    const verbs = [
      () => counted.create(id, newRecord()),
      () => counted.load(id),
      () => counted.load(id, touch),
      () =>
        counted.commit(
          id,
          newChange({ set: new Map([['b', '1']]), add: new Map([['n', 1]]), rotate: 'fence' }),
        ),
      () => counted.commit(id, newChange()),
      () => counted.swap(id, 'b', '1', '2'),
      () => counted.take(id, 'b'),
      () => counted.sessionsOf('alice'),
      () => counted.list(),
      () => counted.deleteExpired(10),
      () => counted.destroy(id),
    ]
    for (const verb of verbs) {
      statements = 0
      await verb()
      expect(statements).toBe(1)
    }
  })

  test('nothing is lost or refused where the database makes transactions serializable', async () => {
    const strict = new Pool({
      connectionString: server.url,
      options: '-c default_transaction_isolation=serializable',
    })
    try {
      const serializable = new PostgresStore(strict, { deadline: '10s' })
      const id = newId()
      await serializable.create(id, newRecord())
      const add = new Map([['n', 1]])
      await Promise.all(
        Array.from({ length: 40 }, () => serializable.commit(id, newChange({ add }))),
      )
      expect((await serializable.load(id))?.values.get('n')).toBe('40')
    } finally {
      await strict.end()
    }
  })

  test('writes within 17 minutes stay in their page', async () => {
    const hot = new PostgresStore(pool, { table: 'hot' })
    await hot.migrate()
    const id = newId()
    await hot.create(id, newRecord())
    for (let n = 0; n < 50; n++) {
      await hot.commit(id, newChange({ set: new Map([['a', String(n)]]) }))
    }
    // The figures of the server come up to a second late.
    await expect.poll(async () => (await updates()).all, { timeout: 5000 }).toBe(50)
    expect((await updates()).hot).toBeGreaterThanOrEqual(48)
  })

  async function updates(): Promise<{ all: number; hot: number }> {
    const text = `SELECT n_tup_upd AS "all", n_tup_hot_upd AS hot FROM pg_stat_user_tables
      WHERE relname = 'hot'`
    const { rows } = await pool.query(text)
    return { all: Number(rows[0].all), hot: Number(rows[0].hot) }
  }

  test('sweeping takes at most what it was told, and what has expired just now', async () => {
    const past = newRecord({ expiresAt: Date.now() - 1 })
    for (let n = 0; n < 7; n++) await store.create(newId(), past)
    const live = newId()
    await store.create(live, newRecord())
    expect(await store.deleteExpired(5)).toBe(5)
    expect(await store.deleteExpired(5)).toBe(2)
    expect(await store.deleteExpired(5)).toBe(0)
    expect((await store.list()).ids).toEqual([live])
  })

  test('a list of many sessions comes in pages', async () => {
    const ids = Array.from({ length: 1100 }, newId)
    const patient = new PostgresStore(pool, { deadline: '15s' })
    await Promise.all(ids.map((id) => patient.create(id, newRecord())))
    const first = await store.list()
    const second = await store.list(first.cursor)
    const third = await store.list(second.cursor)
    expect([first.ids.length, second.ids.length, third.ids.length]).toEqual([500, 500, 100])
    expect(third.cursor).toBeUndefined()
    expect(new Set([...first.ids, ...second.ids, ...third.ids])).toEqual(new Set(ids))
  })
})

describe('what a change expects', () => {
  const set = new Map([['a', '2']])

  test('is compared with what is stored', async () => {
    const id = newId()
    await store.create(id, newRecord())
    const wrong: [string, string | undefined][] = [
      ['a', '"2"'],
      ['a', undefined],
      ['b', ''],
    ]
    for (const entry of wrong) {
      await expect(store.commit(id, newChange({ set, expect: new Map([entry]) }))).rejects.toEqual(
        withCode('ERR_SESSION_CONFLICT'),
      )
    }
    expect((await store.load(id))?.values.get('a')).toBe('"1"')
    const right = new Map([
      ['a', '"1"'],
      ['b', undefined],
    ])
    expect(await store.commit(id, newChange({ set, expect: right }))).toMatchObject({
      generation: 0,
    })
    expect((await store.load(id))?.values.get('a')).toBe('2')
  })

  test('lets one of many writers win', async () => {
    const id = newId()
    await store.create(id, newRecord())
    const expected = new Map([['a', '"1"']])
    const writers = Array.from({ length: 16 }, (_, n) =>
      store.commit(id, newChange({ set: new Map([['a', String(n)]]), expect: expected })),
    )
    const answers = await Promise.allSettled(writers)
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('rows that this version did not write', () => {
  const newer = withCode('ERR_SESSION_VERSION')

  test('a row of a newer version is refused by every verb that reads, and kept', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await pool.query('UPDATE sojourn_sessions SET format = 2')
    const touch = newTouch()
    await expect(store.load(id, touch)).rejects.toEqual(newer)
    await expect(store.commit(id, newChange({ clear: true }))).rejects.toEqual(newer)
    await expect(store.swap(id, 'a', '"1"', '2')).rejects.toEqual(newer)
    await expect(store.take(id, 'a')).rejects.toEqual(newer)
    await expect(store.create(id, newRecord())).rejects.toEqual(newer)
    const { rows } = await pool.query('SELECT data, expires_at FROM sojourn_sessions')
    expect(rows[0].data).toEqual({ a: '"1"' })
    expect(Number(rows[0].expires_at)).toBeLessThan(touch.expiresAt)
  })

  test('a row whose values are no texts is corrupt, and is not written to', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await pool.query(`UPDATE sojourn_sessions SET data = '{"a": 1}'`)
    await expect(store.load(id)).rejects.toEqual(withCode('ERR_SESSION_CORRUPT'))
    await expect(store.commit(id, newChange({ set: new Map([['b', '2']]) }))).rejects.toEqual(
      withCode('ERR_SESSION_CORRUPT'),
    )
    expect(await store.destroy(id)).toBe(true)
  })

  test('text that PostgreSQL cannot store is refused as a value', async () => {
    const id = newId()
    await store.create(id, newRecord())
    for (const text of ['a\0b', 'a\ud800b']) {
      await expect(store.commit(id, newChange({ set: new Map([['b', text]]) }))).rejects.toEqual(
        withCode('ERR_SESSION_VALUE'),
      )
    }
  })
})
