import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SessionManager } from '../src/manager.ts'
import { HOUR, MINUTE, SECRET, Stage } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})

describe('a cookie', () => {
  beforeEach(async () => {
    await stage.alice.request((session) => session.set('login', 'alice'))
    stage.store.since()
  })

  it('that is tampered with, cut, or foreign makes an anonymous visitor without a store call', async () => {
    const good = stage.alice.cookie ?? ''
    const foreign = new Visitor(stage.manage({ secret: 'another secret of the tests, quite long' }))
    await foreign.request((session) => session.set('a', 1))
    stage.store.since()
    for (const cookie of [good.slice(0, -1), `${good}A`, foreign.cookie, 'sid=1', `x${good}`]) {
      const visitor = new Visitor(stage.sessions, cookie)
      const { result, setCookie } = await visitor.request((session) => session.established)
      expect(result).toBe(false)
      expect(setCookie).toBeUndefined()
    }
    expect(stage.store.since()).toEqual([])
    expect(stage.types()).toContain('cookie-refused')
  })

  it('of a session that ended is never adopted: a new session has another id', async () => {
    const old = stage.alice.cookie
    const { result: oldId } = await stage.alice.request((session) => session.id)
    await stage.alice.request((session) => session.destroy())
    expect(stage.alice.cookie).toBeUndefined()
    const thief = new Visitor(stage.sessions, old)
    const { result } = await thief.request((session) => {
      expect(session.established).toBe(false)
      session.set('a', 1)
      return session.id
    })
    expect(result).not.toBe(oldId)
    expect(stage.types()).toContain('unknown-session')
  })

  it('of our name that comes first and is forged does not hide the genuine one', async () => {
    const name = stage.sessions.cookieName
    const both = new Visitor(stage.sessions, `${name}=evil; ${name}=v1.x; ${stage.alice.cookie}`)
    expect((await both.request((session) => session.get('login'))).result).toBe('alice')
  })

  it('of another genuine session beside it makes the visitor anonymous, and says so', async () => {
    const mallory = new Visitor(stage.sessions)
    await mallory.request((session) => session.set('login', 'mallory'))
    const both = new Visitor(stage.sessions, `${stage.alice.cookie}; ${mallory.cookie}`)
    expect((await both.request((session) => session.get('login'))).result).toBeUndefined()
    expect(stage.types()).toContain('ambiguous-cookie')
  })

  it('of an older secret is good, and is issued again with the current one', async () => {
    const rotated = stage.manage({ secret: ['the current secret of the tests, also long', SECRET] })
    const visitor = new Visitor(rotated, stage.alice.cookie)
    const { setCookie } = await visitor.request((session) => session.get('login'))
    expect(setCookie).toBeDefined()
    const again = await visitor.request((session) => session.get('login'))
    expect(again).toMatchObject({ result: 'alice', setCookie: undefined })
  })

  it('of one namespace means nothing in another', async () => {
    const visitor = new Visitor(stage.manage({ namespace: 'admin' }), stage.alice.cookie)
    expect((await visitor.request((session) => session.established)).result).toBe(false)
  })

  it('over plain http elsewhere than localhost is sent with a warning that says why it is dropped', async () => {
    const info = { secure: false, host: 'shop.example:8080' }
    await new Visitor(stage.sessions).request((session) => session.set('a', 1), info)
    expect(stage.events.at(-1)).toMatchObject({
      type: 'insecure-transport',
      message: expect.stringContaining("'shop.example:8080': browsers drop it"),
    })
    stage.events.length = 0
    for (const host of ['localhost:8888', '127.0.0.1', '[::1]:80', 'app.localhost']) {
      await new Visitor(stage.sessions).request((session) => session.set('a', 1), {
        secure: false,
        host,
      })
    }
    expect(stage.types()).not.toContain('insecure-transport')
  })

  it('is warned of once by the process if nobody listens', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
    const unheard = new SessionManager({ secret: SECRET, store: stage.store })
    for (const host of ['localhost', 'shop.example', 'shop.example']) {
      const info = { secure: false, host }
      await new Visitor(unheard).request((session) => session.set('a', 1), info)
    }
    expect(warn.mock.calls).toEqual([
      [
        expect.stringContaining("'shop.example': browsers drop it"),
        { code: 'SOJOURN_INSECURE_TRANSPORT' },
      ],
    ])
    warn.mockRestore()
  })
})

describe('time', () => {
  beforeEach(() => stage.alice.request((session) => session.set('login', 'alice')))
  const isThere = async () => (await stage.alice.request((session) => session.has('login'))).result

  it('ends a session that is idle for too long', async () => {
    stage.now += HOUR - 1
    expect(await isThere()).toBe(true)
    stage.now += HOUR
    expect(await isThere()).toBe(false)
  })

  it('moves the idle deadline by reading, but not on every request', async () => {
    const deadline = async () =>
      (await stage.alice.request((session) => session.expiresAt)).result ?? 0
    const first = await deadline()
    stage.now += 5 * MINUTE
    expect(await deadline()).toBe(first)
    stage.now += 2 * MINUTE
    expect(await deadline()).toBe(stage.now + HOUR)
  })

  it('ends a session at its absolute deadline however active it is; renew does not move that', async () => {
    for (let minute = 0; minute < 24 * 60 - 30; minute += 30) {
      stage.now += 30 * MINUTE
      await stage.alice.request((session) => session.renew())
    }
    expect(await isThere()).toBe(true)
    stage.now += 30 * MINUTE
    expect(await isThere()).toBe(false)
  })

  it('begins anew at a login', async () => {
    for (let half = 0; half < 47; half++) {
      stage.now += 30 * MINUTE
      expect(await isThere()).toBe(true)
    }
    await stage.alice.request((session) => session.login('alice'))
    stage.now += 45 * MINUTE
    expect(await isThere()).toBe(true)
  })

  it('makes a persistent cookie that lives as long as the idle time and moves with it', async () => {
    const visitor = new Visitor(stage.manage({ cookie: { expiresDays: 2 } }))
    const first = await visitor.request((session) => session.set('a', 1))
    expect(first.setCookie).toContain('Max-Age=172800')
    stage.now += MINUTE
    expect((await visitor.request((session) => session.get('a'))).setCookie).toBeUndefined()
    stage.now += 24 * HOUR
    expect((await visitor.request((session) => session.get('a'))).setCookie).toContain(
      'Max-Age=172800',
    )
    stage.now += 47 * HOUR
    expect((await visitor.request((session) => session.get('a'))).result).toBe(1)
    stage.now += 49 * HOUR
    expect((await visitor.request((session) => session.get('a'))).result).toBeUndefined()
  })

  it('makes a cookie that ends with the browser unless told otherwise', async () => {
    const { setCookie } = await new Visitor(stage.sessions).request((session) =>
      session.set('a', 1),
    )
    expect(setCookie).not.toMatch(/Max-Age|Expires/i)
  })

  it('remembers one visitor for longer than the others', async () => {
    const { setCookie } = await stage.alice.request((session) => session.remember('30d'))
    expect(setCookie).toContain('Max-Age=2592000')
    stage.now += 29 * 24 * HOUR
    expect(await isThere()).toBe(true)
    expect((await stage.alice.request((session) => session.set('a', 1))).setCookie).toBeUndefined()
    stage.now += 24 * HOUR
    expect(await isThere()).toBe(false)
  })
})
