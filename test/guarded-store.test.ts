import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SessionError } from '../src/errors.ts'
import { SessionManager } from '../src/manager.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { SECRET, Stage } from './support/stage.ts'
import { startRedis } from './support/redis.ts'
import type { RedisServer } from './support/redis.ts'
import { Visitor } from './support/visitor.ts'

const unavailable = expect.objectContaining({ status: 503 })

describe('while Redis is down', () => {
  let redis: RedisServer
  let store: RedisStore
  beforeEach(async () => {
    redis = await startRedis()
    store = new RedisStore({ url: redis.url }, { deadline: '300ms' })
    await expect.poll(() => store.ready().then(() => 'ready'), { timeout: 5000 }).toBe('ready')
  })
  afterEach(async () => {
    await store.close()
    await redis.stop()
  })

  const manage = (options = {}) => new SessionManager({ secret: SECRET, store, ...options })

  it('a request with a session is an error 503, and one without is answered', async () => {
    const sessions = manage()
    const alice = new Visitor(sessions)
    await alice.request((session) => session.set('login', 'alice'))
    await redis.pause()
    await expect(alice.request((session) => session.get('login'))).rejects.toEqual(unavailable)
    const stranger = await new Visitor(sessions).request((session) => session.get('login'))
    expect(stranger).toMatchObject({ result: undefined, setCookie: undefined })
    await redis.resume()
    expect((await alice.request((session) => session.get('login'))).result).toBe('alice')
  })

  it('a login is never answered as done', async () => {
    const alice = new Visitor(manage())
    await redis.kill()
    await expect(alice.request((session) => session.login('alice'))).rejects.toEqual(unavailable)
    expect(alice.cookie).toBeUndefined()
  })

  it('anonymous by policy reads as a stranger; what it sets or ends is an error, its cookie stays', async () => {
    const sessions = manage({ onStoreFailure: 'anonymous' })
    const alice = new Visitor(sessions)
    await alice.request((session) => session.set('login', 'alice'))
    const { cookie } = alice
    await redis.pause()
    const read = await alice.request((session) => session.get('login'))
    expect(read).toMatchObject({ result: undefined, setCookie: undefined })
    await expect(alice.request((session) => session.set('a', 1))).rejects.toEqual(unavailable)
    await expect(alice.request((session) => session.logout())).rejects.toEqual(unavailable)
    expect(alice.cookie).toBe(cookie)
    await redis.resume()
  })

  it('costs no deadline for each request once several have failed, and ends when Redis is back', async () => {
    const sessions = manage()
    const alice = new Visitor(sessions)
    await alice.request((session) => session.set('login', 'alice'))
    await redis.pause()
    const look = () => alice.request((session) => session.get('login'))
    for (let failed = 0; failed < 5; failed++) await expect(look()).rejects.toEqual(unavailable)
    const begun = performance.now()
    for (let refused = 0; refused < 50; refused++) {
      await expect(look()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    }
    expect(performance.now() - begun).toBeLessThan(5000)
    await redis.resume()
    await expect
      .poll(() => look().catch(() => undefined), { timeout: 5000 })
      .toMatchObject({
        result: 'alice',
      })
  })
})

describe('a store of one’s own', () => {
  it('that never answers is ended by the deadline of the manager', async () => {
    const stage = new Stage()
    await stage.alice.request((session) => session.set('a', 1))
    const capabilities = { ...stage.store.capabilities, deadline: false }
    Object.defineProperty(stage.store, 'capabilities', { value: capabilities })
    stage.store.load = () => new Promise(() => {})
    const sessions = stage.manage({ storeDeadline: '20ms' })
    const visitor = new Visitor(sessions, stage.alice.cookie)
    await expect(visitor.request((session) => session.get('a'))).rejects.toMatchObject({
      code: 'ERR_SESSION_TIMEOUT',
      message: expect.stringContaining('did not answer load within 20 ms'),
    })
    expect(stage.types()).toContain('store-failed')
  })

  it('that throws an error of its own becomes ERR_SESSION_STORE, with that error as the cause', async () => {
    const stage = new Stage()
    await stage.alice.request((session) => session.set('a', 1))
    const cause = new Error('disk on fire')
    stage.store.load = () => Promise.reject(cause)
    await expect(stage.alice.request((session) => session.get('a'))).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE',
      cause,
    })
  })

  it('whose record cannot be read makes the visitor anonymous, and the next write works', async () => {
    const stage = new Stage()
    await stage.alice.request((session) => session.set('a', 1))
    stage.store.load = () => Promise.reject(new SessionError('ERR_SESSION_CORRUPT', 'unreadable'))
    const { result } = await stage.alice.request((session) => session.set('b', 2).has('a'))
    expect(result).toBe(false)
    expect(stage.types()).toEqual(['created', 'corrupt', 'created'])
  })

  it('whose record is of a newer version is an error 503, and nothing is written', async () => {
    const stage = new Stage()
    await stage.alice.request((session) => session.set('a', 1))
    stage.store.load = () => Promise.reject(new SessionError('ERR_SESSION_VERSION', 'newer'))
    await expect(stage.alice.request((session) => session.set('b', 2))).rejects.toEqual(unavailable)
  })

  it('is not asked any more once the manager is closed', async () => {
    const stage = new Stage()
    await stage.alice.request((session) => session.set('a', 1))
    await stage.sessions.close()
    await expect(stage.alice.request((session) => session.get('a'))).rejects.toMatchObject({
      code: 'ERR_SESSION_CLOSED',
    })
  })
})
