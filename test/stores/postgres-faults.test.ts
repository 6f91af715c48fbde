import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'

let server: PostgresServer
let pool: Pool
let store: PostgresStore

beforeAll(async () => {
  server = await startPostgres()
  pool = new Pool({ connectionString: server.url, max: 8 })
  store = new PostgresStore(pool, { deadline: '400ms' })
  await store.migrate()
})

afterAll(async () => {
  server?.resume()
  await pool?.end()
  await server?.stop()
})

/** Every verb, on a session that is there. */
async function everyVerb(): Promise<(() => Promise<unknown>)[]> {
  const id = newId()
  await store.create(id, newRecord({ user: 'alice' }))
  return [
    () => store.load(id),
    () => store.load(id, newTouch()),
    () => store.create(newId(), newRecord()),
    () => store.commit(id, newChange()),
    () => store.swap(id, 'a', '"1"', '2'),
    () => store.take(id, 'a'),
    () => store.destroy(id),
    () => store.sessionsOf('alice'),
    () => store.list(),
    () => store.deleteExpired(1),
    () => store.ready(),
  ]
}

describe('a frozen server', () => {
  test('every verb ends by its deadline with an error, and works again afterwards', async () => {
    const verbs = await everyVerb()
    server.pause()
    const start = performance.now()
    const answers = await Promise.allSettled(verbs.map((verb) => verb()))
    const took = performance.now() - start
    server.resume()
    for (const answer of answers) {
      expect(answer).toEqual({ status: 'rejected', reason: withCode('ERR_SESSION_TIMEOUT') })
    }
    expect(took).toBeLessThan(2000)
    await expect.poll(() => store.list().then(() => 'answers', String)).toBe('answers')
  })
})

describe('a server that is not there', () => {
  test('every verb says so at once, and works again when the server is back', async () => {
    const verbs = await everyVerb()
    await server.kill()
    for (const verb of verbs) await expect(verb()).rejects.toEqual(withCode('ERR_SESSION_STORE'))
    await server.start()
    await expect.poll(() => store.list().then(() => 'answers', String)).toBe('answers')
  })
})

test('a pool without a listener for its errors survives a restart of the server', async () => {
  const bare = new Pool({ connectionString: server.url })
  const another = new PostgresStore(bare)
  await another.ready()
  await server.restart()
  await expect.poll(() => another.ready().then(() => 'answers', String)).toBe('answers')
  await bare.end()
})
