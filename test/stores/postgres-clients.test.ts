import { readFile } from 'node:fs/promises'
import { Client, Pool, types } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'

const INT8 = 20
const JSONB = 3802
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

describe('the table', () => {
  test('the documented SQL is what migrate runs', async () => {
    const documented = await readFile('docs/postgres-schema.sql', 'utf8')
    const run: string[] = []
    const client = {
      query: async ({ text }: { text: string }) => {
        run.push(text)
        return { rows: [] }
      },
    }
    await new PostgresStore(client).migrate()
    expect(run).toEqual([documented])
  })

  test('migrate may run again, and in many processes at once', async () => {
    const stores = Array.from({ length: 8 }, () => new PostgresStore(pool, { table: 'parallel' }))
    await Promise.all(stores.map((each) => each.migrate()))
    await stores[0]?.migrate()
    expect(await stores[0]?.create(newId(), newRecord())).toBe(true)
  })

  test('a missing table is an error that says what to run, not an absent session', async () => {
    const missing = new PostgresStore(pool, { table: 'missing' })
    const refused = withCode('ERR_SESSION_STORE', 'migrate()')
    await expect(missing.load(newId())).rejects.toEqual(refused)
    await expect(missing.ready()).rejects.toEqual(refused)
  })

  test('schema and table have the names that were asked for', async () => {
    const web = new PostgresStore(pool, { schema: 'Web', table: 'Visits' })
    await web.migrate()
    const id = newId()
    await web.create(id, newRecord())
    expect((await pool.query('SELECT id FROM "Web"."Visits"')).rows).toEqual([{ id }])
    expect(await store.load(id)).toBeUndefined()
  })

  test.each(['', '1st', 'a b', 'a"b', 'a;b', 'é', 'x'.repeat(59)])(
    'the table name %j is refused',
    (table) => {
      expect(() => new PostgresStore(pool, { table })).toThrow(
        withCode('ERR_SESSION_OPTION', 'table'),
      )
    },
  )

  test('an unknown option is refused', () => {
    const options: object = { tabel: 'x' }
    expect(() => new PostgresStore(pool, options)).toThrow(
      withCode('ERR_SESSION_OPTION', "'table'"),
    )
  })
})

describe('clients', () => {
  const kept = newRecord({
    user: "o'neil",
    client: { userAgent: 'Ünï\tcode', address: '::1' },
    rememberFor: 5,
    values: new Map([['', 'ü"\\']]),
  })

  /** What a store answers to one call of each verb. */
  async function answersOf(working: PostgresStore): Promise<unknown[]> {
    const id = newId()
    const add = new Map([['n', 2]])
    const set = new Map([['b', '[]']])
    return [
      await working.create(id, kept),
      await working.load(id),
      await working.commit(id, newChange({ unset: ['x"y', ''], set, add, user: null })),
      await working.swap(id, 'b', '[]', '{}'),
      await working.take(id, 'n'),
      (await working.load(id, newTouch()))?.values,
      await working.destroy(id),
    ]
  }

  const answers = [
    true,
    kept,
    expect.objectContaining({ generation: 0, added: new Map([['n', 2]]) }),
    true,
    '2',
    new Map([['b', '{}']]),
    true,
  ]

  test('a pool of pg', async () => {
    expect(await answersOf(store)).toEqual(answers)
    expect(await answersOf(new PostgresStore(pool, { prepare: false }))).toEqual(answers)
  })

  test('a single client of pg', async () => {
    const client = new Client({ connectionString: server.url })
    await client.connect()
    try {
      expect(await answersOf(new PostgresStore(client))).toEqual(answers)
    } finally {
      await client.end()
    }
  })

  test('postgres.js, also without what it asks of the server at the start', async () => {
    for (const options of [{}, { fetch_types: false }]) {
      const sql = postgres(server.url, { max: 2, onnotice: () => undefined, ...options })
      try {
        const other = new PostgresStore(sql)
        await other.migrate()
        expect(await answersOf(other)).toEqual(answers)
        expect(await answersOf(new PostgresStore(sql, { prepare: false }))).toEqual(answers)
      } finally {
        await sql.end()
      }
    }
  })

  test('one that reads numbers and json in a way of its own', async () => {
    const mine: Record<number, unknown> = { [INT8]: BigInt, [JSONB]: () => 'never read' }
    const getTypeParser = (oid: number): any => mine[oid] ?? types.getTypeParser(oid)
    const own = new Pool({ connectionString: server.url, types: { getTypeParser } })
    try {
      expect(await answersOf(new PostgresStore(own))).toEqual(answers)
    } finally {
      await own.end()
    }
  })

  test('anything else is refused', () => {
    for (const wrong of [undefined, null, {}, 'postgres://localhost', () => undefined]) {
      expect(() => new PostgresStore(wrong as any)).toThrow(withCode('ERR_SESSION_OPTION', 'Pool'))
    }
  })
})
