import { afterAll, beforeAll, expect, test } from 'vitest'
import { SessionManager } from '../../src/manager.ts'
import { MemcachedStore } from '../../src/stores/memcached.ts'
import { type MemcachedServer, startMemcached } from '../support/memcached.ts'
import { SECRET, run } from './running.ts'
import { doing, resultOf } from './work.ts'

// What pycket loses on Memcached, by the numbers of its defects. On a real memcached.

let memcached: MemcachedServer

beforeAll(async () => {
  memcached = await startMemcached()
})
afterAll(() => memcached.stop())

const all = doing(async ({ session, notifications }) => ({
  values: Object.fromEntries(session),
  notes: [...notifications.keys()],
}))
const set = doing((handler) => {
  const size = Number(handler.getArgument('size'))
  handler.session.set(handler.getArgument('name'), 'x'.repeat(size))
})
const both = doing(({ session, notifications }) => {
  session.set('login', 'alice')
  notifications.set('login', 'a note')
})

async function start() {
  const store = new MemcachedStore({ servers: [memcached.address], deadline: '1s' })
  const limits = { valueBytes: 8_388_608, sessionSize: 8_388_608 }
  const sessions = new SessionManager({ secret: SECRET, store, limits })
  const routes = [
    ['/', set],
    ['/both', both],
    ['/all', all],
  ] as const
  const { visitor } = await run(routes, { sessions })
  return { browser: visitor(), close: () => sessions.close() }
}

test('D27: notifications and values do not overwrite each other', async () => {
  const { browser, close } = await start()
  await browser.get('/both')
  await browser.get('/?name=more&size=2')
  expect(resultOf(await browser.get('/all'))).toEqual({
    values: { login: 'alice', more: 'xx' },
    notes: ['login'],
  })
  await close()
})

test.each([1_048_500, 1_048_576, 4_000_000])(
  'D28: %d bytes, for which an item has no room, are an error, and what was stored stays',
  async (size) => {
    const { browser, close } = await start()
    await browser.get('/?name=small&size=3')
    const reply = await browser.get(`/?name=large&size=${size}`)
    expect([reply.status, reply.cookies]).toEqual([500, []])
    const after = { values: { small: 'xxx' }, notes: [] }
    expect(resultOf(await browser.get('/all'))).toEqual(after)
    await close()
  },
)

test('D29: while memcached is down a set is 503 without a cookie, never a success', async () => {
  const { browser, close } = await start()
  await browser.get('/?name=a&size=1')
  await memcached.stop()
  try {
    for (const path of ['/?name=b&size=1', '/all']) {
      const reply = await browser.get(path)
      expect([reply.status, reply.cookies]).toEqual([503, []])
    }
  } finally {
    await memcached.start()
  }
  await close()
})
