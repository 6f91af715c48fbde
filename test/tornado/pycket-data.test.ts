import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'
import type { PycketCookies, Settings } from '../../src/tornado/index.ts'
import { recordKeys } from './redis-records.ts'
import { SECRET, run } from './running.ts'
import { doing, resultOf } from './work.ts'

// What pycket loses, by the numbers of its defects. On a real Redis, through a real cookie jar.

let redis: RedisServer
let client: ReturnType<typeof createClient>

beforeAll(async () => {
  redis = await startRedis()
  client = createClient({ url: redis.url })
  await client.connect()
})
beforeEach(() => client.flushAll())
afterAll(async () => {
  await client.close()
  await redis.stop()
})

const onRedis = (): Settings => ({
  cookieSecret: SECRET,
  pycket: { engine: 'redis', storage: { url: redis.url } },
})

const everything = doing((handler) => Object.fromEntries(handler.session))

describe('the first request of a visitor', () => {
  test('D01: what it sets it can get, and the next request has it, in one session', async () => {
    const first = doing(({ session }) => {
      session.set('login', 'alice')
      return [session.get('login'), session.get('login'), session.has('login')]
    })
    const { visitor } = await run(
      [
        ['/', first],
        ['/all', everything],
      ],
      onRedis(),
    )
    const browser = visitor()
    const reply = await browser.get('/')
    expect(resultOf(reply)).toEqual(['alice', 'alice', true])
    expect(reply.cookies).toHaveLength(1)
    expect(await recordKeys(client)).toHaveLength(1)
    expect(resultOf(await browser.get('/all'))).toEqual({ login: 'alice' })
  })

  test('D02: may set any number of values: all are kept, in one record', async () => {
    const first = doing(({ session }) => {
      session.set('a', 1).set('b', 2)
      session.increment('n')
      session.increment('n', 2)
      return session.get('n')
    })
    const { visitor } = await run(
      [
        ['/', first],
        ['/all', everything],
      ],
      onRedis(),
    )
    const browser = visitor()
    expect(resultOf(await browser.get('/'))).toBe(3)
    expect(await recordKeys(client)).toHaveLength(1)
    expect(resultOf(await browser.get('/all'))).toEqual({ a: 1, b: 2, n: 3 })
  })

  test('D03, D27: session and notification share an id and do not touch each other', async () => {
    const first = doing(({ session, notifications }) => {
      session.set('login', 'alice')
      notifications.set('login', 'note')
    })
    const second = doing(async ({ session, notifications }) => [
      [...session],
      [...notifications.keys()],
      await notifications.take('login'),
      await notifications.take('login'),
      session.get('login'),
    ])
    const { visitor } = await run(
      [
        ['/', first],
        ['/second', second],
      ],
      onRedis(),
    )
    const browser = visitor()
    const { cookies } = await browser.get('/')
    expect(cookies).toHaveLength(1)
    const shown = [[['login', 'alice']], ['login'], 'note', undefined, 'alice']
    expect(resultOf(await browser.get('/second'))).toEqual(JSON.parse(JSON.stringify(shown)))
    expect(resultOf(await browser.get('/second'))).toEqual([
      [['login', 'alice']],
      [],
      null,
      null,
      'alice',
    ])
    expect(await recordKeys(client)).toHaveLength(1)
  })
})

test('D26: parallel first requests that only look begin nothing; each that sets has all that it set', async () => {
  const setTwo = doing((handler) => {
    const name = handler.getArgument('name')
    return handler.session.set('a', name).set('b', name).id
  })
  const { visitor, url } = await run(
    [
      ['/', setTwo],
      ['/all', everything],
    ],
    onRedis(),
  )
  const looking = visitor()
  await Promise.all(['/all', '/all', '/all', '/all'].map((path) => looking.get(path)))
  expect(await recordKeys(client)).toHaveLength(0)
  const visitors = ['1', '2', '3', '4'].map((name) => ({ name, browser: visitor() }))
  const shown = visitors.map(async ({ name, browser }) => {
    await browser.get(`/?name=${name}`)
    const cookie = await browser.jar.getCookieString(url)
    return resultOf(await visitor({ cookie }).get('/all'))
  })
  expect(await Promise.all(shown)).toEqual(visitors.map(({ name }) => ({ a: name, b: name })))
  expect(await recordKeys(client)).toHaveLength(4)
})

describe('D04: parallel requests keep what the others wrote', () => {
  test('400 sets of distinct names through two applications lose none', async () => {
    const setName = doing((handler) => handler.session.set(handler.getArgument('name'), 1).size > 0)
    const size = doing(({ session }) => session.size)
    const first = await run(
      [
        ['/', setName],
        ['/size', size],
      ],
      onRedis(),
    )
    const second = await run([['/', setName]], onRedis())
    const browser = first.visitor()
    await browser.get('/?name=first')
    const cookie = await browser.jar.getCookieString(first.url)
    const others = [first.visitor({ cookie }), second.visitor({ cookie })]
    const send = async (name: number) => others[name % 2]?.get(`/?name=n${name}`)
    const names = Array.from({ length: 400 }, (_, index) => index)
    for (let at = 0; at < names.length; at += 20) {
      const batch = names.slice(at, at + 20)
      await Promise.all(batch.map((name) => send(name)))
    }
    expect(resultOf(await browser.get('/size'))).toBe(401)
  })

  test('20 increments at once are 20, also with something awaited in between', async () => {
    const increment = doing(async ({ session }) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      session.increment('n')
    })
    const { visitor } = await run(
      [
        ['/', increment],
        ['/all', everything],
      ],
      onRedis(),
    )
    const browser = visitor()
    await browser.get('/')
    await Promise.all(Array.from({ length: 20 }, () => browser.get('/')))
    expect(resultOf(await browser.get('/all'))).toEqual({ n: 21 })
  })
})

describe('the time of a session', () => {
  const DAY = 86_400_000
  const set = doing(({ session }) => session.set('a', 1).size)
  const get = doing(({ session }) => session.get('a'))

  async function withClock(cookies: PycketCookies) {
    const clock = { at: Date.now() }
    const now = () => clock.at
    const pycket = { engine: 'memory', storage: { now }, now, cookies } as const
    const running = await run(
      [
        ['/set', set],
        ['/get', get],
      ],
      { cookieSecret: SECRET, pycket },
    )
    const browser = running.visitor()
    const first = await browser.get('/set')
    const cookie = await browser.jar.getCookieString(running.url)
    return { clock, first, visitor: running.visitor({ cookie }) }
  }

  test('D05: is that of the cookie, and every read renews it', async () => {
    const { clock, visitor } = await withClock({ expiresDays: 2 })
    for (let day = 0; day < 4; day++) {
      clock.at += 1.9 * DAY
      expect(resultOf(await visitor.get('/get'))).toBe(1)
    }
    clock.at += 2.1 * DAY
    expect((await visitor.get('/get')).body).toBe('')
  })

  test('D06: the cookie of an active visitor is renewed', async () => {
    const { clock, first, visitor } = await withClock({ expiresDays: 2 })
    expect(first.cookies[0]).toContain(`Max-Age=${2 * 86_400}`)
    clock.at += 60_000
    expect((await visitor.get('/get')).cookies).toEqual([])
    clock.at += DAY
    expect((await visitor.get('/get')).cookies[0]).toContain(`Max-Age=${2 * 86_400}`)
  })

  test('D17: is not cut at 31 days when more are asked for', async () => {
    const { clock, first, visitor } = await withClock({ expiresDays: 120 })
    expect(first.cookies[0]).toContain(`Max-Age=${120 * 86_400}`)
    clock.at += 119 * DAY
    expect(resultOf(await visitor.get('/get'))).toBe(1)
  })

  test('without expiresDays the cookie ends with the browser', async () => {
    const { first } = await withClock({})
    expect(first.cookies[0]).not.toMatch(/Max-Age|Expires/i)
  })

  test('D15: every record in Redis expires by itself, at every moment', async () => {
    const pycket = { ...onRedis().pycket, cookies: { expiresDays: 2 } }
    const { visitor } = await run([['/set', set]], { ...onRedis(), pycket })
    const browser = visitor()
    await browser.get('/set')
    await browser.get('/set')
    for (const key of await client.keys('*')) expect(await client.pTTL(key)).toBeGreaterThan(0)
    const [key = '', ...others] = await recordKeys(client)
    expect(await client.pTTL(key)).toBeGreaterThan(0)
    expect(await client.pTTL(key)).toBeLessThanOrEqual(2 * DAY + 1000)
    expect(others).toEqual([])
  })
})

describe('an error in the handler', () => {
  test('D25: keeps nothing of what it set, and sends no cookie with the 500', async () => {
    const failing = doing(({ session }) => {
      session.set('a', 'after')
      throw new Error('oops')
    })
    const set = doing(({ session }) => session.set('a', 'before').size)
    const { visitor } = await run(
      [
        ['/', failing],
        ['/set', set],
        ['/all', everything],
      ],
      onRedis(),
    )
    const stranger = await visitor().get('/')
    expect([stranger.status, stranger.cookies, await recordKeys(client)]).toEqual([500, [], []])
    const browser = visitor()
    await browser.get('/set')
    expect((await browser.get('/')).status).toBe(500)
    expect(resultOf(await browser.get('/all'))).toEqual({ a: 'before' })
  })

  test('D24: what is set after the response is stored, or is an error; it is never lost in silence', async () => {
    const late = class extends doing(() => undefined) {
      override onFinish() {
        this.session.set('late', true)
      }
    }
    const set = doing(({ session }) => session.set('a', 1).size)
    const { visitor, nextEntry } = await run(
      [
        ['/', late],
        ['/set', set],
        ['/all', everything],
      ],
      onRedis(),
    )
    const entry = nextEntry()
    const stranger = await visitor().get('/')
    expect([stranger.status, stranger.cookies]).toEqual([200, []])
    expect((await entry).errors).toEqual([
      expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }),
    ])
    expect(await recordKeys(client)).toHaveLength(0)
    const browser = visitor()
    await browser.get('/set')
    const known = nextEntry()
    await browser.get('/')
    expect((await known).errors).toEqual([])
    expect(resultOf(await browser.get('/all'))).toEqual({ a: 1, late: true })
  })
})
