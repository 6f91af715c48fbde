import { readFile } from 'node:fs/promises'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StoreEvent } from '../../src/store.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { newChange, newId, newRecord, newTouch } from '../support/records.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
  const page = await readFile(new URL('../../docs/engines/redis.md', import.meta.url), 'utf8')
  const [, , ...rules] = (/^user shop .*$/m.exec(page)?.[0] ?? '').split(' ')
  const client = await createClient({ url: server.url }).connect()
  await client.sendCommand(['ACL', 'SETUSER', 'shop', ...rules])
  await client.close()
})

afterAll(() => server?.stop())

test('the permissions that the page names are enough for everything', async () => {
  const { host, port } = server
  const login = { host, port, username: 'shop', password: 'password' }
  const store = new RedisStore(login, { prefix: 'shop:', deadline: '10s' })
  await store.ready()
  const heard: StoreEvent[] = []
  let failures = 0
  const stops = [
    await store.watch((event) => void heard.push(event)),
    await store.consume('mail', () => {
      if (failures++ === 0) throw new Error('once')
    }),
  ]
  const [id, short] = [newId(), newId()]
  const cap = { most: 1, full: 'evict-oldest' } as const
  expect(await store.create(id, newRecord({ user: 'alice' }))).toBe(true)
  expect(await store.create(short, newRecord({ expiresAt: Date.now() + 300 }))).toBe(true)
  expect(await store.load(id, newTouch())).toBeDefined()
  for (const other of [newId(), newId()]) {
    await store.create(other, newRecord())
    expect(await store.commit(other, newChange({ user: 'alice', cap }))).toMatchObject({})
  }
  expect(await store.sessionsOf('alice')).toHaveLength(1)
  expect((await store.list()).ids.length).toBeGreaterThan(0)
  await store.tell({ type: 'replayed', id, at: Date.now() })
  const types = (): readonly string[] => heard.map(({ type }) => type)
  await expect.poll(types, { timeout: 15_000 }).toContain('expired')
  await expect.poll(() => failures, { timeout: 15_000 }).toBeGreaterThan(heard.length)
  for (const stop of stops) await stop()
  await store.close()
})

test('they reach no key of others', async () => {
  const { host, port } = server
  const login = { host, port, username: 'shop', password: 'password' }
  const store = new RedisStore(login, { prefix: 'other:' })
  await expect(store.create(newId(), newRecord())).rejects.toMatchObject({
    code: 'ERR_SESSION_STORE',
  })
  await store.close()
})
