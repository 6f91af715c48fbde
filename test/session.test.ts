import { beforeEach, describe, expect, it } from 'vitest'
import { Stage } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})

describe('login', () => {
  it('keeps what the visitor had, rotates, and says who and when', async () => {
    await stage.alice.request((session) => session.set('cart', ['tea']))
    const before = stage.alice.cookie
    const { setCookie } = await stage.alice.request((session) => session.login('alice'))
    expect(setCookie).toBeDefined()
    expect(stage.alice.cookie).not.toBe(before)
    const { result } = await stage.alice.request((session) => [
      session.user,
      session.authenticatedAt,
      session.get('cart'),
    ])
    expect(result).toEqual(['alice', stage.now, ['tea']])
  })

  it('of another user on the same session drops the values of the first', async () => {
    await stage.alice.request((session) => session.set('cart', ['tea']).login('alice'))
    await stage.alice.request((session) => session.login('bob'))
    const { result } = await stage.alice.request((session) => [session.user, session.has('cart')])
    expect(result).toEqual(['bob', false])
  })

  it('with keep drops everything else', async () => {
    await stage.alice.request((session) => session.set('cart', 1).set('planted', 2))
    await stage.alice.request((session) => session.login('alice', { keep: ['cart'] }))
    const { result } = await stage.alice.request((session) => [...session.keys()])
    expect(result).toEqual(['cart'])
  })

  it('whose button is clicked twice logs in twice, never out', async () => {
    await stage.alice.request((session) => session.set('a', 1))
    const first = await stage.alice.begin()
    const second = await new Visitor(stage.sessions, stage.alice.cookie).begin()
    first.session.login('alice')
    second.session.login('alice')
    const answers = [await first.finish(), await second.finish()]
    for (const { setCookie } of answers) {
      const browser = new Visitor(stage.sessions, setCookie?.split(';')[0])
      expect((await browser.request((session) => session.user)).result).toBe('alice')
    }
  })

  it.each(['', 'a\0b', '\ud800', 'x'.repeat(1025), 7 as never])(
    'refuses %j as a user',
    async (user) => {
      await expect(stage.alice.request((session) => session.login(user))).rejects.toMatchObject({
        code: 'ERR_SESSION_VALUE',
      })
    },
  )
})

describe('logout', () => {
  beforeEach(() =>
    stage.alice.request((session) => session.set('cart', 1).set('theme', 'dark').login('alice')),
  )

  it('ends the session, its cookie, and the write of a request under way', async () => {
    const parked = await new Visitor(stage.sessions, stage.alice.cookie).begin()
    const replay = new Visitor(stage.sessions, stage.alice.cookie)
    const { setCookie } = await stage.alice.request((session) => session.logout())
    expect(setCookie).toMatch(/^__Host-Http-sid=; .*Max-Age=0/)
    parked.session.set('cart', 2)
    const late = await parked.finish()
    expect(late.headers).toEqual([['Vary', 'Cookie']])
    expect((await replay.request((session) => session.established)).result).toBe(false)
    expect(stage.types()).toEqual(
      expect.arrayContaining(['logged-out', 'destroyed', 'write-dropped']),
    )
  })

  it('with keep leaves those values to the visitor, without a user and under a new credential', async () => {
    const replay = new Visitor(stage.sessions, stage.alice.cookie)
    await stage.alice.request((session) => session.logout({ keep: ['theme'] }))
    const { result } = await stage.alice.request((session) => [
      session.user,
      Object.fromEntries(session),
    ])
    expect(result).toEqual([undefined, { theme: 'dark' }])
    expect((await replay.request((session) => session.established)).result).toBe(false)
  })

  it('may leave a message to the next page', async () => {
    await stage.alice.request((session) => {
      session.logout()
      session.notifications.set('bye', 'You are logged out')
    })
    const { result } = await stage.alice.request(async (session) => [
      session.user,
      session.size,
      await session.notifications.take('bye'),
    ])
    expect(result).toEqual([undefined, 0, 'You are logged out'])
  })

  it('drops also what a parallel request added meanwhile', async () => {
    const leaving = await stage.alice.begin()
    await new Visitor(stage.sessions, stage.alice.cookie).request((session) =>
      session.set('added', true),
    )
    leaving.session.logout({ keep: ['theme'] })
    await leaving.finish()
    expect((await stage.alice.request((session) => session.has('added'))).result).toBe(false)
  })
})

describe('destroy', () => {
  it('is terminal in its request', async () => {
    await stage.alice.request((session) => session.set('a', 1))
    await stage.alice.request((session) => {
      session.destroy()
      expect(session.established).toBe(false)
      expect(session.get('a')).toBeUndefined()
      expect(() => session.set('a', 2)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_DESTROYED' }),
      )
      expect(() => session.login('alice')).toThrow('destroyed in this request')
    })
    expect(stage.alice.cookie).toBeUndefined()
  })
})
