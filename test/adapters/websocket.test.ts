import { afterEach, describe, expect, test } from 'vitest'
import { getSession } from '../../src/adapters/websocket.ts'
import type { Refusal, WebSocketOptions } from '../../src/adapters/websocket.ts'
import { SessionManager } from '../../src/manager.ts'
import type { SessionOptions } from '../../src/options.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { CountingStore } from '../support/counting-store.ts'
import { SECRET } from '../support/stage.ts'
import { Visitor } from '../support/visitor.ts'
import { LiveStage, answerTo, closeOf, until } from './websocket/stage.ts'

const stages: LiveStage[] = []

afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()))
})

async function open(
  options?: WebSocketOptions,
  sessionOptions?: SessionOptions,
): Promise<LiveStage> {
  const stage = new LiveStage(options, sessionOptions)
  stages.push(stage)
  return stage.begin()
}

describe('who may connect', () => {
  const listed = { origins: ['https://app.example.com', 'app://desktop'] }
  const own = (port: number) => `http://127.0.0.1:${port}`

  test.each([
    ['our own', own, true, 101],
    ['our own', own, false, 101],
    ['a listed one', () => 'https://app.example.com', true, 101],
    ['a listed one with its port', () => 'https://app.example.com:443', true, 101],
    ['a listed one of an app', () => 'app://desktop', true, 101],
    ['a sibling of ours', () => 'http://sibling.127.0.0.1', true, 403],
    ['a sibling of a listed one', () => 'https://evil.example.com', true, 403],
    ['a listed one over http', () => 'http://app.example.com', true, 403],
    ['a listed one on another port', () => 'https://app.example.com:8443', true, 403],
    ['ours over https', (port: number) => `https://127.0.0.1:${port}`, true, 403],
    ['ours on another port', () => 'http://127.0.0.1:1', true, 403],
    ['ours as a user name', (port: number) => `http://127.0.0.1:${port}@evil.test`, true, 403],
    [
      'one that begins like ours',
      (port: number) => `http://127.0.0.1:${port}.evil.test`,
      true,
      403,
    ],
    ['ours, and another', (port: number) => `${own(port)}, http://evil.test`, true, 403],
    ['a foreign one', () => 'http://evil.test', true, 403],
    ['a foreign one', () => 'http://evil.test', false, 403],
    ['null', () => 'null', true, 403],
    ['null', () => 'null', false, 403],
    ['an empty one', () => '', true, 403],
    ['no text of an origin', () => 'evil', true, 403],
    ['none', () => undefined, true, 403],
    ['none', () => undefined, false, 101],
  ])('an Origin that is %s (%o), with a cookie: %s, is answered %i', async (_, of, has, status) => {
    const stage = await open(listed)
    const { visitor } = await stage.visitor()
    const cookie = has ? visitor.cookie : undefined
    expect(await stage.status({ origin: of(stage.port), cookie })).toBe(status)
  })

  test('a refused Origin is not looked up, and its reason is told', async () => {
    const store = new CountingStore(new MemoryStore())
    const refusals: Refusal[] = []
    const stage = await open({ onRefuse: (refusal) => refusals.push(refusal) }, { store })
    const { visitor } = await stage.visitor()
    store.since()
    await stage.status({ origin: 'http://evil.test', cookie: visitor.cookie })
    await stage.status({ origin: undefined, cookie: visitor.cookie })
    expect(store.since()).toEqual([])
    expect(refusals.map(({ status, reason }) => `${status} ${reason}`)).toEqual([
      '403 its Origin is neither ours nor listed',
      '403 a cookie came without an Origin',
    ])
    expect(JSON.stringify(refusals.map(({ reason }) => reason))).not.toContain('v1.')
  })

  test('behind a proxy that is trusted, our own origin is what it says', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example.com' }
    const origin = 'https://shop.example.com'
    const trusting = await open({ trustProxy: true })
    expect(await trusting.status({ origin, headers })).toBe(101)
    expect(await trusting.status({ headers })).toBe(403)
    const plain = await open()
    expect(await plain.status({ origin, headers })).toBe(403)
  })

  test('programs without an Origin may be accepted with their cookie', async () => {
    const stage = await open({ absentOrigin: 'accept', anonymous: 'refuse' })
    const { visitor } = await stage.visitor()
    expect(await stage.status({ origin: undefined, cookie: visitor.cookie })).toBe(101)
    expect(await stage.status({ origin: 'http://evil.test', cookie: visitor.cookie })).toBe(403)
  })

  test('without a session nobody connects, if that is said', async () => {
    const stage = await open({ anonymous: 'refuse' })
    const { visitor, id } = await stage.visitor()
    expect(await stage.status({ cookie: visitor.cookie })).toBe(101)
    expect(await stage.status({})).toBe(401)
    expect(await stage.status({ cookie: `${stage.sessions.cookieName}=v1.forged` })).toBe(401)
    await stage.sessions.revoke(id)
    expect(await stage.status({ cookie: visitor.cookie })).toBe(401)
  })

  test('without a user nobody connects, if that is said', async () => {
    const stage = await open({ requireUser: true })
    const anonymous = await stage.visitor()
    const alice = await stage.visitor('alice')
    expect(await stage.status({ cookie: anonymous.visitor.cookie })).toBe(401)
    expect(await stage.status({ cookie: alice.visitor.cookie })).toBe(101)
  })

  test('an outage of the store is answered 503', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    await stage.sessions.close()
    expect(await stage.status({ cookie: visitor.cookie })).toBe(503)
  })

  test('a client that leaves while it is let in does no harm', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const clients = Array.from({ length: 20 }, () => stage.client({ cookie: visitor.cookie }))
    for (const client of clients) client.terminate()
    await stage.connect({ cookie: visitor.cookie })
    await until(() => stage.live.size <= 1)
    expect(stage.live.size).toBe(1)
  })
})

describe('a live session', () => {
  test('reads what requests store, and stores what requests read', async () => {
    const stage = await open()
    const { visitor, id } = await stage.visitor('alice')
    const { live } = await stage.connect({ cookie: visitor.cookie })
    expect([live.id, live.user, live.ended]).toEqual([id, 'alice', undefined])
    expect(await live.get('name')).toBe('alice')
    await visitor.request((session) => session.set('name', 'Alice').set('views', 3))
    expect(await live.read((session) => [session.get('name'), session.get('views')])).toEqual([
      'Alice',
      3,
    ])
    expect(await live.edit((session) => session.increment('views'))).toBe(4)
    const { result } = await visitor.request((session) => session.get('views'))
    expect(result).toBe(4)
  })

  test('keeps nothing of what a read changes, and answers fallbacks', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const { live } = await stage.connect({ cookie: visitor.cookie })
    expect(await live.read((session) => session.set('name', 'mallory').get('name'))).toBe('mallory')
    expect(await live.get('name')).toBe('alice')
    expect(await live.get('missing', 'nothing')).toBe('nothing')
  })

  test('parallel edits of many connections and requests add up', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const cookie = visitor.cookie
    const all = await Promise.all(Array.from({ length: 10 }, () => stage.status({ cookie })))
    expect(new Set(all)).toEqual(new Set([101]))
    const edits = stage.served.map(({ live }) => live.edit((session) => session.increment('views')))
    const requests = Array.from({ length: 10 }, () =>
      visitor.request((session) => session.increment('views')),
    )
    await Promise.all([...edits, ...requests])
    expect(await stage.served[0]?.live.get('views')).toBe(20)
  })

  test('without a session has nothing, stores nothing and stays open', async () => {
    const stage = await open()
    const { live, client } = await stage.connect()
    expect([live.id, live.user, live.ended]).toEqual([undefined, undefined, undefined])
    expect(await live.edit((session) => session.set('name', 'bob'))).toBeUndefined()
    expect(await live.get('name', 'nobody')).toBe('nobody')
    expect(await answerTo(client, 'hello')).toBe('got hello')
    expect(stage.live.size).toBe(0)
  })

  test('belongs to its socket, with the types of its manager', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const { socket, live } = await stage.connect({ cookie: visitor.cookie })
    expect(getSession(socket)).toBe(live)
    expect(getSession(socket, stage.sessions)).toBe(live)
    const other = new SessionManager<{ count: number }>({
      secret: SECRET,
      store: new MemoryStore(),
    })
    expect(() => getSession(socket, other)).toThrow(/No session belongs/)
    expect(() => getSession({})).toThrow(/No session belongs/)
  })

  test('shows no values in a log', async () => {
    const stage = await open()
    const { visitor, id } = await stage.visitor('bob')
    const { live } = await stage.connect({ cookie: visitor.cookie })
    expect(JSON.parse(JSON.stringify(live))).toEqual({ id, user: 'bob' })
  })

  test('throws while the store is out, and stays', async () => {
    class Broken extends CountingStore {
      broken = false
      override load(...call: Parameters<CountingStore['load']>) {
        if (this.broken) return Promise.reject(new Error('the wire is cut'))
        return super.load(...call)
      }
    }
    const store = new Broken(new MemoryStore())
    const stage = await open({ checkEvery: '50ms' }, { store })
    const { visitor } = await stage.visitor()
    const { live, client } = await stage.connect({ cookie: visitor.cookie })
    store.broken = true
    await expect(live.get('name')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE', status: 503 })
    store.since()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await answerTo(client, 'still there?')).toBe('got still there?')
    expect(live.ended).toBeUndefined()
  })

  test('a login, a logout and a renewal are refused: they need a response', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const { live } = await stage.connect({ cookie: visitor.cookie })
    const code = 'ERR_SESSION_MISUSE'
    await expect(live.edit((session) => session.login('mallory'))).rejects.toMatchObject({ code })
    await expect(live.edit((session) => session.renew())).rejects.toMatchObject({ code })
    expect(await live.get('name')).toBe('alice')
  })
})

describe('activity', () => {
  const chat = async (keepAlive: boolean) => {
    const store = new CountingStore(new MemoryStore())
    const stage = await open({ keepAlive }, { store, idleTimeout: '1500ms', lifetime: '1h' })
    const { visitor } = await stage.visitor()
    const { client, live } = await stage.connect({ cookie: visitor.cookie })
    const timer = setInterval(() => client.send('tick'), 50)
    const ended = closeOf(client)
    const outcome = await Promise.race([
      ended,
      new Promise<'open'>((resolve) => setTimeout(resolve, 2_500, 'open')),
    ])
    clearInterval(timer)
    return { outcome, live, loads: store.since().filter((verb) => verb === 'load').length }
  }

  test('keeps the session alive if that is said, with few calls of the store', async () => {
    const { outcome, loads } = await chat(true)
    expect(outcome).toBe('open')
    // About one in a tenth of the idle time for the touches, and one in 600 ms for the looks.
    expect(loads).toBeLessThan(30)
  })

  test('else does not', async () => {
    const { outcome, live } = await chat(false)
    expect(outcome).toMatchObject({ code: 1008, reason: 'session expired' })
    expect(live.ended).toBe('expired')
  })
})

test('options that cannot work are refused', () => {
  const refused = (options: object) => () => new LiveStage(options)
  expect(refused({ origins: ['app.example.com'] })).toThrow(/whole origins/)
  expect(refused({ origins: ['https://app.example.com/chat'] })).toThrow(/whole origins/)
  expect(refused({ origins: ['*'] })).toThrow(/whole origins/)
  expect(refused({ closeCode: 1005 })).toThrow(/closeCode must be/)
  expect(refused({ anonymous: 'reject' })).toThrow(/anonymous must be/)
  expect(refused({ checkEvery: 5 })).toThrow(/checkEvery must be a duration/)
  expect(refused({ origin: [] })).toThrow(/Did you mean 'origins'/)
})

test('the data has the types of the manager', async () => {
  const stage = await open()
  const sessions = new SessionManager<{ count: number }>({
    secret: SECRET,
    store: new MemoryStore(),
  })
  const typed = (socket: object) => {
    const live = getSession(socket, sessions)
    // @ts-expect-error There is no such value.
    void live.get('missing')
    return live.edit((session) => session.increment('count'))
  }
  await expect((async () => typed({}))()).rejects.toThrow(/No session/)
  expect(new Visitor(stage.sessions).cookie).toBeUndefined()
})
