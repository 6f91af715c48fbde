import { beforeEach, describe, expect, it } from 'vitest'
import type { Session } from '../src/session.ts'
import { Stage } from './support/stage.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})

describe('a visitor without a cookie', () => {
  it('who only looks gets no cookie, and the store is not asked', async () => {
    const { setCookie, headers, result } = await stage.alice.request((session) =>
      session.get('login'),
    )
    expect(result).toBeUndefined()
    expect(setCookie).toBeUndefined()
    expect(headers).toEqual([['Vary', 'Cookie']])
    expect(stage.store.since()).toEqual([])
  })

  it('whose handler does not touch the session gets no header at all', async () => {
    const { headers } = await stage.alice.request(() => 'static')
    expect(headers).toEqual([])
  })

  it('may set, set, get, increment and notify in the first request: one session, all there later', async () => {
    const ids = new Set<string>()
    const first = await stage.alice.request(async (session) => {
      session.set('login', 'alice')
      ids.add(session.id)
      session.set('language', '中文')
      expect(session.get('login')).toBe('alice')
      expect(session.increment('views')).toBe(1)
      expect(session.increment('views', 2)).toBe(3)
      session.notifications.set('hello', 'welcome')
      ids.add(session.id)
      expect([...session.keys()]).toEqual(['login', 'language', 'views'])
    })
    expect(stage.store.since()).toEqual(['create'])
    expect(first.setCookie).toMatch(
      /^__Host-Http-sid=v1\.[\w-]{8}\.[\w-]{43}\.0\.[\w-]{43}; Path=\/; .*HttpOnly/,
    )
    expect(first.headers).toContainEqual(['Cache-Control', 'no-store'])
    const second = await stage.alice.request(async (session) => {
      ids.add(session.id)
      expect(await session.notifications.take('hello')).toBe('welcome')
      return Object.fromEntries(session)
    })
    expect(second.result).toEqual({ login: 'alice', language: '中文', views: 3 })
    expect(ids.size).toBe(1)
    expect(second.setCookie).toBeUndefined()
  })

  it('who sets a value and removes it again in the same request gets no session', async () => {
    await stage.alice.request((session) => {
      session.set('a', 1)
      session.delete('a')
    })
    expect(stage.store.since()).toEqual([])
  })

  it('who logs out gets no session', async () => {
    const { setCookie } = await stage.alice.request((session) => session.logout())
    expect(setCookie).toBeUndefined()
    expect(stage.store.since()).toEqual([])
  })
})

describe('the cost of a request', () => {
  beforeEach(async () => {
    await stage.alice.request((session) => session.set('login', 'alice'))
    stage.store.since()
  })

  it('is one call when it reads', async () => {
    await stage.alice.request((session) => session.get('login'))
    expect(stage.store.since()).toEqual(['load'])
  })

  it('is two calls when it writes any number of values', async () => {
    await stage.alice.request((session) => session.set('a', 1).set('b', 2).increment('c'))
    expect(stage.store.since()).toEqual(['load', 'commit'])
  })

  it('is one call when a value is set to what it was', async () => {
    await stage.alice.request((session) => session.set('login', 'alice'))
    expect(stage.store.since()).toEqual(['load'])
  })

  it('is one call after the load for a login, a renewal and a logout', async () => {
    await stage.alice.request((session) => session.login('alice'))
    await stage.alice.request((session) => session.renew())
    await stage.alice.request((session) => session.logout())
    expect(stage.store.since()).toEqual(['load', 'commit', 'load', 'commit', 'load', 'destroy'])
  })
})

describe('after the headers have left', () => {
  it('values of an established session are saved by a later commit', async () => {
    await stage.alice.request((session) => session.set('a', 1))
    const session = await stage.sessions.open(stage.alice.cookie)
    await stage.sessions.commit(session)
    stage.sessions.seal(session)
    session.set('a', 2)
    expect(await stage.sessions.commit(session)).toEqual([])
    expect((await stage.alice.request((again) => again.get('a'))).result).toBe(2)
  })

  it('a session can neither begin nor change its credential', async () => {
    const fresh = await stage.sessions.open(undefined)
    stage.sessions.seal(fresh)
    const sent = expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' })
    expect(() => fresh.set('a', 1)).toThrow(sent)
    await stage.alice.request((session) => session.set('a', 1))
    const session = await stage.sessions.open(stage.alice.cookie)
    stage.sessions.seal(session)
    expect(() => session.login('alice')).toThrow(sent)
    expect(() => session.renew()).toThrow(sent)
    session.logout()
    await stage.sessions.commit(session)
    expect((await stage.alice.request((again) => again.established)).result).toBe(false)
  })
})

describe('outside a request', () => {
  it('edit changes a session by its public id', async () => {
    const { result: id } = await stage.alice.request((session) => session.set('a', 1).id)
    const seen = await stage.sessions.edit(id, (session) => {
      session.set('b', 2)
      return session.get('a')
    })
    expect(seen).toBe(1)
    expect((await stage.alice.request((session) => session.get('b'))).result).toBe(2)
    expect(await stage.sessions.edit('nobody' as never, () => 1)).toBeUndefined()
  })

  it('is told if it was too late: the session had ended, or somebody logged in with it', async () => {
    const { result: id } = await stage.alice.request((session) => session.set('a', 1).id)
    const late = stage.sessions.edit(id, async (session) => {
      session.set('a', 2)
      await stage.alice.request((own) => own.login('alice'))
      return 'done'
    })
    expect(await late).toBeUndefined()
    expect((await stage.alice.request((session) => session.get('a'))).result).toBe(1)
    const tooLate = stage.sessions.edit(id, async (session) => {
      await stage.sessions.revoke(id)
      return session.increment('a')
    })
    expect(await tooLate).toBeUndefined()
  })

  it('revoke ends a session once', async () => {
    const { result: id } = await stage.alice.request((session) => session.set('a', 1).id)
    expect(await stage.sessions.revoke(id)).toBe(true)
    expect(await stage.sessions.revoke(id)).toBe(false)
    expect((await stage.alice.request((session) => session.established)).result).toBe(false)
  })
})

describe('what the client said of itself', () => {
  it('is recorded when the session is established, cut and cleaned', async () => {
    const info = { userAgent: `Test\0${'x'.repeat(400)}`, address: '127.0.0.1' }
    await stage.alice.request((session) => session.set('a', 1), info)
    const { result } = await stage.alice.request((session) => session.client, {
      userAgent: 'other',
    })
    expect(result?.address).toBe('127.0.0.1')
    expect(result?.userAgent).toHaveLength(256)
    expect(result?.userAgent).not.toContain('\0')
  })
})

describe('a session that is written to a log', () => {
  it('shows names and never values or tokens', async () => {
    await stage.alice.request((session) => session.set('card', 'secret-4111').login('alice'))
    const { result } = await stage.alice.request((session) => JSON.stringify(session))
    expect(result).toContain('card')
    expect(result).not.toContain('4111')
    const token = stage.alice.cookie?.split('.')[2] ?? 'none'
    expect(result).not.toContain(token)
    expect(JSON.stringify(stage.events)).not.toContain(token)
  })
})

describe('what is no request of this manager', () => {
  it.each([undefined, null, ''])(
    'a Cookie header that is %j is a visitor without a cookie',
    async (header) => {
      expect((await stage.sessions.open(header)).established).toBe(false)
    },
  )

  it.each([5, ['a=b'], { headers: {} }])(
    'a Cookie header that is %j is refused',
    async (header) => {
      await expect(stage.sessions.open(header as unknown as string)).rejects.toMatchObject({
        code: 'ERR_SESSION_MISUSE',
        message: expect.stringContaining('request.headers.cookie'),
      })
    },
  )

  it('something else cannot be committed', () => {
    expect(() => stage.sessions.commit({} as Session)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_MISUSE' }),
    )
  })
})
