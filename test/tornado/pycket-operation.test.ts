import { inspect as inspectValue } from 'node:util'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Application } from '../../src/tornado/index.ts'
import type { Settings } from '../../src/tornado/index.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'
import { IN_MEMORY, SECRET, run } from './running.ts'
import { doing, resultOf } from './work.ts'

// How pycket behaves as a program, by the numbers of its defects. On a real Redis.

let redis: RedisServer
let client: Inspector

beforeAll(async () => {
  redis = await startRedis()
  client = inspect(redis.url)
  await client.connect()
})
beforeEach(() => client.flushAll())
afterAll(async () => {
  client.destroy()
  await redis.stop()
})

function onRedis(more: object = {}): Settings {
  const storage = { host: redis.host, port: redis.port, maxConnections: 2 ** 64, ...more }
  return { cookieSecret: SECRET, pycket: { engine: 'redis', storage } }
}

const set = doing(({ session }) => session.set('a', 1).size)
const all = doing(({ session }) => Object.fromEntries(session))
const nothing = doing(() => 'nothing')

describe('Redis', () => {
  test('D13: any number of requests share one connection', async () => {
    const before = await connections()
    const { visitor } = await run([['/', set]], onRedis())
    const browser = visitor()
    await browser.get('/')
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 10 }, () => browser.get('/')))
    }
    expect((await connections()) - before).toBe(1)
  })

  test('D23: any number of reads cost one command, and a value that is changed in place is kept', async () => {
    const reads = doing(({ session }) => {
      for (let read = 0; read < 5; read++) session.get('list')
      const list = session.get('list', [] as unknown[]) as number[]
      list.push(list.length)
      if (!session.has('list')) session.set('list', list)
      return list
    })
    const { visitor } = await run(
      [
        ['/', reads],
        ['/all', all],
      ],
      onRedis(),
    )
    const browser = visitor()
    await browser.get('/')
    await browser.get('/')
    await client.configResetStat()
    expect(resultOf(await browser.get('/all'))).toEqual({ list: [0, 1] })
    const stats = await client.info('commandstats')
    const calls = [...stats.matchAll(/^cmdstat_(get|hget|hgetall|evalsha|eval):calls=(\d+)/gm)]
    expect(calls.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(1)
  })

  test('D14: while it does not answer, requests without a session are answered at once', async () => {
    const { visitor } = await run(
      [
        ['/', nothing],
        ['/all', all],
        ['/set', set],
      ],
      onRedis(),
    )
    const browser = visitor()
    await browser.get('/set')
    redis.pause()
    try {
      const waiting = browser.get('/all')
      const begun = performance.now()
      expect(resultOf(await visitor().get('/'))).toBe('nothing')
      expect(performance.now() - begun).toBeLessThan(500)
      expect((await waiting).status).toBe(503)
    } finally {
      redis.resume()
    }
  })

  test('D30: when it is down, a request that needs it is 503 without a cookie, others are served', async () => {
    const { visitor, log } = await run(
      [
        ['/', nothing],
        ['/all', all],
        ['/set', set],
      ],
      onRedis(),
    )
    const browser = visitor()
    await browser.get('/set')
    await redis.kill()
    const begun = visitor()
    const stranger = await begun.get('/set')
    expect([stranger.status, stranger.cookies]).toEqual([503, []])
    expect(stranger.body).toBe(
      '<html><title>503: Service Unavailable</title><body>503: Service Unavailable</body></html>',
    )
    const known = await browser.get('/all')
    expect([known.status, known.cookies]).toEqual([503, []])
    expect(resultOf(await begun.get('/'))).toBe('nothing')
    expect(log.filter(({ errors }) => errors.length > 0)).toHaveLength(2)
    await redis.start()
    await expect.poll(async () => (await browser.get('/set')).status, { timeout: 5000 }).toBe(200)
  })

  test('D31: an application whose Redis cannot be reached does not begin to listen', async () => {
    const settings = onRedis({ port: 1 })
    const app = new Application([['/', set]], settings)
    await expect(app.listen(0, '127.0.0.1')).rejects.toMatchObject({ status: 503 })
    await app.close()
  })
})

describe('values', () => {
  test('come back as what they were: text in any script, dates, maps, sets, bigints, bytes', async () => {
    const values = {
      text: '张三 😀',
      date: new Date(0),
      map: new Map([['a', new Set([1n, 2n])]]),
      bytes: new Uint8Array([0, 255]),
      nested: { list: [1, [null, { deep: true }]] },
    }
    const keep = doing(({ session }) => {
      for (const [name, value] of Object.entries(values)) session.set(name, value)
    })
    const compare = doing(({ session }) => inspectValue(Object.fromEntries(session)))
    const { visitor } = await run(
      [
        ['/', keep],
        ['/compare', compare],
      ],
      onRedis(),
    )
    const browser = visitor()
    await browser.get('/')
    expect(resultOf(await browser.get('/compare'))).toBe(inspectValue(values))
  })

  test('D20: null is a value like any other', async () => {
    const nulls = doing(({ session }) => {
      session.set('k', null)
      return [
        session.get('k', 'fallback'),
        session.has('k'),
        [...session.keys()],
        session.get('x', 1),
      ]
    })
    const { visitor } = await run([['/', nulls]], IN_MEMORY)
    expect(resultOf(await visitor().get('/'))).toEqual([null, true, ['k'], 1])
  })

  test('D21: a notification is consumed by taking it only, also when it is null', async () => {
    const notify = doing(({ notifications }) => notifications.set('n', null).has('n'))
    const take = doing(async ({ notifications }) => {
      const looked = [notifications.has('x'), notifications.has('n')]
      return [...looked, (await notifications.take('n')) === null, notifications.has('n')]
    })
    const { visitor } = await run(
      [
        ['/', notify],
        ['/take', take],
      ],
      IN_MEMORY,
    )
    const browser = visitor()
    await browser.get('/')
    expect(resultOf(await browser.get('/take'))).toEqual([false, true, true, false])
    expect(resultOf(await browser.get('/take'))).toEqual([false, false, false, false])
  })

  test.each([
    [
      'D12: an instance of a class',
      () => new URL('http://localhost'),
      'ERR_SESSION_VALUE',
      /class URL/,
    ],
    ['a function', () => () => 1, 'ERR_SESSION_VALUE', /function/],
    ['something too large', () => 'x'.repeat(2_000_000), 'ERR_SESSION_TOO_LARGE', /too large/],
  ])('%s is refused when it is set, and nothing is stored', async (_, make, code, why) => {
    const wrong = doing(({ session }) => {
      session.set('before', 1)
      session.set('wrong', make())
    })
    const { visitor, log } = await run([['/', wrong]], IN_MEMORY)
    const reply = await visitor().get('/')
    expect([reply.status, reply.cookies]).toEqual([500, []])
    expect(log[0]?.errors).toEqual([
      expect.objectContaining({ code, message: expect.stringMatching(why) }),
    ])
  })
})

type Inspector = ReturnType<typeof inspect>

function inspect(url: string) {
  return createClient({ url }).on('error', () => undefined)
}

async function connections(): Promise<number> {
  const info = await client.info('clients')
  return Number(/connected_clients:(\d+)/.exec(info)?.[1])
}
