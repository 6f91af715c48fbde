import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommitOutcome, SessionId, SessionStore, UserCap } from '../../src/store.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { HOUR, newChange, newId, newRecord } from '../support/records.ts'

const ROUNDS = 30
let directory: string
let server: PostgresServer
let pools: Pool[]
const stores: Record<string, SessionStore[]> = {}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sojourn-cap-'))
  const path = join(directory, 'sessions.db')
  stores['SQLite'] = [new SqliteStore(new Database(path)), new SqliteStore(new Database(path))]
  server = await startPostgres()
  pools = [1, 2].map(() => new Pool({ connectionString: server.url, max: 8 }))
  const [first, second] = pools.map((pool) => new PostgresStore(pool))
  await first!.migrate()
  stores['PostgreSQL'] = [first!, second!]
})

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()))
  await server.stop()
  await rm(directory, { recursive: true })
})

describe.each(['SQLite', 'PostgreSQL'])('a limit of sessions of a user in %s', (engine) => {
  const of = (index: number): SessionStore => stores[engine]![index % 2]!
  let users = 0
  const newUser = (): string => `user ${(users += 1)}`

  async function visitor(expiresAt = Date.now() + HOUR): Promise<SessionId> {
    const id = newId()
    await of(0).create(id, newRecord({ expiresAt }))
    return id
  }

  function login(id: SessionId, user: string, cap: UserCap, index = 0): Promise<CommitOutcome> {
    return of(index).commit(id, newChange({ user, cap, set: new Map([['b', '1']]) }))
  }

  test('the sessions that end first are destroyed to make room', async () => {
    const user = newUser()
    const ids: SessionId[] = []
    for (const hours of [5, 3, 4]) {
      const id = await visitor(Date.now() + hours * HOUR)
      await of(0).commit(id, newChange({ user }))
      ids.push(id)
    }
    const newest = await visitor()
    const outcome = await login(newest, user, { most: 2, full: 'evict-oldest' })
    expect(outcome).toMatchObject({ generation: 0, evicted: [ids[1], ids[2]] })
    expect(new Set(await of(1).sessionsOf?.(user))).toEqual(new Set([ids[0], newest]))
    expect(await of(1).load(ids[1]!)).toBeUndefined()
  })

  test('nothing of a refused login is written', async () => {
    const user = newUser()
    const cap: UserCap = { most: 1, full: 'reject' }
    const [first, second] = [await visitor(), await visitor()]
    expect(await login(first, user, cap)).toMatchObject({ generation: 0 })
    expect(await login(second, user, cap)).toBe('full')
    const record = await of(1).load(second)
    expect([record?.user, [...(record?.values.keys() ?? [])]]).toEqual([undefined, ['a']])
    expect(await of(0).sessionsOf?.(user)).toEqual([first])
  })

  test('logging in again in the same session needs no room, and a room left free can be taken', async () => {
    const user = newUser()
    const cap: UserCap = { most: 1, full: 'reject' }
    const [first, second] = [await visitor(), await visitor()]
    await login(first, user, cap)
    const again = await login(first, user, cap)
    expect(again).not.toHaveProperty('evicted')
    expect(again).toMatchObject({ generation: 0 })
    await of(0).commit(first, newChange({ user: null }))
    expect(await login(second, user, cap)).toMatchObject({ generation: 0 })
    await of(0).destroy(second)
    expect(await login(first, user, cap)).toMatchObject({ generation: 0 })
  })

  test('an expired session takes no room', async () => {
    const user = newUser()
    const past = newId()
    await of(0).create(past, newRecord({ user, expiresAt: Date.now() - 1 }))
    const outcome = await login(await visitor(), user, { most: 1, full: 'reject' })
    expect(outcome).toMatchObject({ generation: 0 })
  })

  test('a login to what is gone, fenced off or no number makes no room', async () => {
    const user = newUser()
    const cap: UserCap = { most: 1, full: 'evict-oldest' }
    const kept = await visitor()
    await login(kept, user, cap)
    expect(await login(newId(), user, cap)).toBe('gone')
    const fenced = await visitor()
    await of(0).commit(fenced, newChange({ rotate: 'fence' }))
    expect(await login(fenced, user, cap)).toBe('stale')
    const add = new Map([['a', 1]])
    await expect(of(0).commit(await visitor(), newChange({ user, cap, add }))).rejects.toThrow(
      /integer/,
    )
    expect(await of(0).sessionsOf?.(user)).toEqual([kept])
  })

  test(`holds under parallel logins (${ROUNDS} rounds of 12)`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const user = newUser()
      const cap: UserCap = { most: 3, full: round % 2 === 0 ? 'evict-oldest' : 'reject' }
      const ids = await Promise.all(Array.from({ length: 12 }, () => visitor()))
      const outcomes = await Promise.all(ids.map((id, index) => login(id, user, cap, index)))
      expect(await of(0).sessionsOf?.(user)).toHaveLength(3)
      const full = outcomes.filter((outcome) => outcome === 'full')
      const evicted = outcomes.flatMap((outcome) =>
        typeof outcome === 'object' ? (outcome.evicted ?? []) : [],
      )
      expect(full.length + evicted.length).toBe(9)
      expect(new Set(evicted).size).toBe(evicted.length)
    }
  })
})
