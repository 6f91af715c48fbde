import Database from 'libsql'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StoreEvent } from '../src/store.ts'
import { SqliteStore } from '../src/stores/sqlite.ts'
import { Sweeper } from '../src/sweeping.ts'
import { newId, newRecord, withCode } from './support/records.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('sweeping goes on until nothing is left, and again at every interval', async () => {
  let left = 1200
  const limits: number[] = []
  const sweeper = new Sweeper(async (limit) => {
    limits.push(limit)
    const removed = Math.min(limit, left)
    left -= removed
    return removed
  }, 1000)
  sweeper.start()
  sweeper.start()
  await vi.advanceTimersByTimeAsync(1000)
  expect([left, limits.length]).toEqual([0, 3])
  await vi.advanceTimersByTimeAsync(1000)
  expect(limits.length).toBe(4)
  sweeper.stop()
  await vi.advanceTimersByTimeAsync(5000)
  expect(limits.length).toBe(4)
})

test('a sweep that fails is tried again, and one that takes long is not begun twice', async () => {
  let calls = 0
  let end: (removed: number) => void = () => undefined
  const sweeper = new Sweeper(() => {
    calls++
    if (calls === 1) return Promise.reject(new Error('no connection'))
    return new Promise((resolve) => (end = resolve))
  }, 1000)
  sweeper.start()
  await vi.advanceTimersByTimeAsync(4000)
  expect(calls).toBe(2)
  end(0)
  await vi.advanceTimersByTimeAsync(1000)
  expect(calls).toBe(3)
  sweeper.stop()
})

test('a store in SQLite tells of what expires, although nobody sweeps', async () => {
  const database = new Database(':memory:')
  const store = new SqliteStore(database, { sweepEvery: '10s' })
  const told: StoreEvent[] = []
  await store.watch((event) => void told.push(event))
  const id = newId()
  await store.create(id, newRecord({ expiresAt: Date.now() + 5000 }))
  await vi.advanceTimersByTimeAsync(11_000)
  expect(told.map(({ type }) => type)).toEqual(['created', 'expired'])
  expect(database.prepare('SELECT id FROM sojourn_sessions').all()).toEqual([])
  await store.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('how often is a duration', () => {
  const database = new Database(':memory:')
  const options = { sweepEvery: 60 } as unknown as { sweepEvery: '1m' }
  expect(() => new SqliteStore(database, options)).toThrow(withCode('ERR_SESSION_OPTION'))
})
