import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSignedValue } from '../../src/tornado/index.ts'
import type { Settings } from '../../src/tornado/index.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'
import { recordKeys } from './redis-records.ts'
import { SECRET, run } from './running.ts'
import { doing, resultOf } from './work.ts'

// What pycket leaves open, by the numbers of its defects. On a real Redis, through a real cookie jar.

let redis: RedisServer
let client: ReturnType<typeof createClient>

beforeAll(async () => {
  redis = await startRedis()
  client = createClient({ url: redis.url })
  await client.connect()
})
beforeEach(async () => {
  await client.flushAll()
  await client.configResetStat()
})
afterAll(async () => {
  await client.close()
  await redis.stop()
})

const set = doing(({ session }) => session.set('a', 1).size)
const all = doing(({ session }) => Object.fromEntries(session))
const login = doing((handler) => handler.session.login(handler.getArgument('user')))
const logout = doing(({ session }) => session.logout())
const destroy = doing(({ session }) => session.destroy())
const whoami = doing(({ session }) => session.user ?? 'nobody')

const read = doing((handler) => ({
  session: Object.fromEntries(handler.session),
  signed: handler.getSignedCookie('name') ?? null,
}))

function start(settings: Settings = {}) {
  const pycket = { engine: 'redis', storage: { url: redis.url } } as const
  return run(
    [
      ['/set', set],
      ['/all', all],
      ['/login', login],
      ['/logout', logout],
      ['/destroy', destroy],
      ['/whoami', whoami],
      ['/nothing', doing(() => 'nothing')],
      ['/read', read],
    ],
    { cookieSecret: SECRET, pycket, ...settings },
  )
}

/** Commands that Redis was asked for, without those of connections. */
async function commands(): Promise<string[]> {
  const stats = await client.info('commandstats')
  const names = [...stats.matchAll(/^cmdstat_([a-z|]+):/gm)].map(([, name]) => name ?? '')
  const own = new Set([
    'hello',
    'client|setinfo',
    'client|setname',
    'config|resetstat',
    'info',
    'ping',
  ])
  return names.filter((name) => !own.has(name))
}

const tokenIn = (cookie: string | undefined) => cookie?.split('.')[2]

describe('a cookie and its session', () => {
  test('D07: a session that is gone is not taken up again: a new one has another id', async () => {
    const { visitor } = await start()
    const browser = visitor()
    const [first] = (await browser.get('/set')).cookies
    await client.flushAll()
    expect(resultOf(await browser.get('/all'))).toEqual({})
    const [second] = (await browser.get('/set')).cookies
    expect(tokenIn(second)).toMatch(/^[\w-]{43}$/)
    expect(tokenIn(second)).not.toBe(tokenIn(first))
  })

  test.each(['/logout', '/destroy'])(
    'D08: %s removes record and cookie; a replay is nobody',
    async (path) => {
      const { url, visitor } = await start()
      const browser = visitor()
      await browser.get('/login?user=alice')
      const stolen = visitor({ cookie: await browser.jar.getCookieString(url) })
      expect(resultOf(await stolen.get('/whoami'))).toBe('alice')
      const ended = await browser.get(path)
      expect(ended.cookies[0]).toMatch(/Max-Age=0/)
      expect(await browser.jar.getCookieString(url)).toBe('')
      expect(await recordKeys(client)).toHaveLength(0)
      expect(resultOf(await stolen.get('/whoami'))).toBe('nobody')
      expect((await stolen.get('/set')).cookies).toHaveLength(1)
      expect(await recordKeys(client)).toHaveLength(1)
    },
  )

  test('D09: a cookie from before the login does not follow into it', async () => {
    const { url, visitor } = await start()
    const browser = visitor()
    await browser.get('/set')
    const attacker = visitor({ cookie: await browser.jar.getCookieString(url) })
    expect((await browser.get('/login?user=victim')).cookies).toHaveLength(1)
    expect(resultOf(await browser.get('/whoami'))).toBe('victim')
    expect(resultOf(await browser.get('/all'))).toEqual({ a: 1 })
    expect(resultOf(await attacker.get('/whoami'))).toBe('nobody')
    expect(resultOf(await attacker.get('/all'))).toEqual({})
  })

  test('D16: the cookie is HttpOnly, Secure, SameSite=Lax, and bound to this host', async () => {
    const { visitor } = await start()
    const reply = await visitor().get('/set')
    expect(reply.cookies[0]).toMatch(
      /^__Host-Http-sid=[\w.-]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    )
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(reply.headers.vary).toBe('Cookie')
  })

  test('D22: a stranger who only reads gets no cookie, and the store is not asked', async () => {
    const { visitor } = await start()
    await client.configResetStat()
    for (const path of ['/all', '/whoami', '/logout', '/destroy', '/nothing']) {
      const reply = await visitor().get(path)
      expect([reply.status, reply.cookies]).toEqual([200, []])
    }
    expect(await commands()).toEqual([])
  })

  test('D32: what is stored under has a prefix and is not what the cookie says', async () => {
    const { visitor } = await start()
    const { cookies } = await visitor().get('/set')
    const keys = await client.keys('*')
    expect(await recordKeys(client)).toHaveLength(1)
    for (const key of keys) {
      expect(key).toMatch(/^sojourn:/)
      expect(key).not.toContain(tokenIn(cookies[0]))
    }
  })
})

describe('a cookie that we did not sign', () => {
  const NAME = '__Host-Http-sid'

  async function genuine() {
    const running = await start()
    const browser = running.visitor()
    await browser.get('/login?user=alice')
    const cookie = (await browser.cookie(NAME)) ?? ''
    await client.configResetStat()
    return { ...running, cookie }
  }

  test.each([
    ['tampered', (cookie: string) => cookie.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A'))],
    ['truncated', (cookie: string) => cookie.slice(0, -1)],
    ['of another generation', (cookie: string) => cookie.replace(/\.0\./, '.1.')],
    ['foreign', (cookie: string) => cookie.replace(/^v1\.[^.]+/, 'v1.AAAAAAAA')],
    ['garbage', () => 'garbage'],
    ['empty', () => ''],
    ["of Tornado's", () => createSignedValue(SECRET, NAME, 'x')],
  ])('%s is an anonymous visitor and costs no store call', async (_, change) => {
    const { cookie, visitor } = await genuine()
    const stranger = visitor({ cookie: `${NAME}=${change(cookie)}` })
    expect(resultOf(await stranger.get('/whoami'))).toBe('nobody')
    expect((await stranger.get('/all')).cookies).toEqual([])
    expect(await commands()).toEqual([])
  })

  test('does not lend its token to the session that is begun', async () => {
    const { cookie, visitor } = await genuine()
    const stranger = visitor({ cookie: `${NAME}=${cookie.slice(0, -1)}` })
    const [begun] = (await stranger.get('/set')).cookies
    expect(tokenIn(begun)).not.toBe(tokenIn(cookie))
  })

  test('two different genuine ones in one request are nobody', async () => {
    const { cookie, visitor } = await genuine()
    const other = visitor()
    await other.get('/login?user=bob')
    const both = `${NAME}=${cookie}; ${NAME}=${await other.cookie(NAME)}`
    expect(resultOf(await visitor({ cookie: both }).get('/whoami'))).toBe('nobody')
  })

  test('D18: of version 1 is nobody, whole or cut otherwise, and never a 500', async () => {
    const { visitor } = await start()
    await client.configResetStat()
    const whole = createSignedValue(SECRET, 'name', 'text', { version: 1 })
    const [value = '', time = '', mac = ''] = whole.split('|')
    const recut = `${value}${time.slice(0, 1)}|${time.slice(1)}|${mac}`
    for (const cookie of [whole, recut, `|${value}${time}|${mac}`]) {
      for (const name of ['name', 'PYCKET_ID', '__Host-Http-sid']) {
        const reply = await visitor({ cookie: `${name}=${cookie}` }).get('/read')
        expect([reply.status, resultOf(reply)]).toEqual([200, { session: {}, signed: null }])
      }
    }
    expect(await commands()).toEqual([])
  })

  test('D19: with secrets by key version garbage is nobody, never a 500', async () => {
    const cookieSecret = { 1: SECRET, 2: `another ${SECRET}` }
    const { visitor } = await start({ cookieSecret, keyVersion: 2 })
    for (const garbage of ['garbage', 'a|1|b', '2|1:0', '']) {
      const reply = await visitor({ cookie: `${NAME}=${garbage}` }).get('/whoami')
      expect([reply.status, resultOf(reply)]).toEqual([200, 'nobody'])
    }
  })

  test('a secret that has become an older one still reads, and the cookie is signed anew', async () => {
    const before = await start({ cookieSecret: { 1: SECRET }, keyVersion: 1 })
    const browser = before.visitor()
    await browser.get('/set')
    const cookieSecret = { 1: SECRET, 2: `another ${SECRET}` }
    const after = await start({ cookieSecret, keyVersion: 2 })
    const moved = after.visitor({ cookie: await browser.jar.getCookieString(before.url) })
    const reply = await moved.get('/all')
    expect(resultOf(reply)).toEqual({ a: 1 })
    expect(reply.cookies).toHaveLength(1)
  })
})

describe('a record that somebody else wrote', () => {
  const marker = join(tmpdir(), `sojourn-pickle-${process.pid}`)
  const pickle = `cposix\nsystem\n(S'touch ${marker}'\ntR.`

  test.each([
    ['D10: a pickle that runs a command', pickle],
    ['D11: nothing', ''],
    ['D11: JSON', '{"a":1}'],
    ['D11: bytes', '\u0080\u0004\u0095'],
  ])('%s: no command runs, it is no session and no error, and it is kept', async (_, bytes) => {
    const { visitor } = await start()
    const browser = visitor()
    await browser.get('/set')
    const [key = ''] = await recordKeys(client)
    await client.set(key, bytes)
    expect(resultOf(await browser.get('/all'))).toEqual({})
    const anew = await browser.get('/set')
    expect([anew.status, anew.cookies.length]).toEqual([200, 1])
    expect(resultOf(await browser.get('/all'))).toEqual({ a: 1 })
    expect(await client.get(key)).toBe(bytes)
    expect(existsSync(marker)).toBe(false)
  })
})
