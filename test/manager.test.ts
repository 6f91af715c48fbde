import { beforeEach, describe, expect, it } from 'vitest'
import type { SessionEvent } from '../src/events.ts'
import { SessionManager } from '../src/manager.ts'
import type { SessionOptions } from '../src/options.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { CountingStore } from './support/counting-store.ts'
import { Visitor } from './support/visitor.ts'

const SECRET = 'a secret of the tests, long enough to be one'
const MINUTE = 60_000
const HOUR = 60 * MINUTE

let now: number
let store: CountingStore
let events: SessionEvent[]
let sessions: SessionManager
let alice: Visitor

function manage(options: SessionOptions = {}): SessionManager {
  return new SessionManager({
    secret: SECRET,
    store,
    now: () => now,
    observe: (event) => events.push(event),
    ...options,
  })
}

beforeEach(() => {
  now = Date.UTC(2026, 0, 1)
  events = []
  store = new CountingStore(new MemoryStore({ now: () => now }))
  sessions = manage()
  alice = new Visitor(sessions)
})

const types = () => events.map(({ type }) => type)

describe('a visitor without a cookie', () => {
  it('who only looks gets no cookie, and the store is not asked', async () => {
    const { setCookie, headers, result } = await alice.request((session) => session.get('login'))
    expect(result).toBeUndefined()
    expect(setCookie).toBeUndefined()
    expect(headers).toEqual([['Vary', 'Cookie']])
    expect(store.since()).toEqual([])
  })

  it('whose handler does not touch the session gets no header at all', async () => {
    const { headers } = await alice.request(() => 'static')
    expect(headers).toEqual([])
  })

  it('may set, set, get, increment and notify in the first request: one session, all there later', async () => {
    const ids = new Set<string>()
    const first = await alice.request(async (session) => {
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
    expect(store.since()).toEqual(['create'])
    expect(first.setCookie).toMatch(
      /^__Host-Http-sid=v1\.[\w-]{8}\.[\w-]{43}\.0\.[\w-]{43}; Path=\/; .*HttpOnly/,
    )
    expect(first.headers).toContainEqual(['Cache-Control', 'no-store'])
    const second = await alice.request(async (session) => {
      ids.add(session.id)
      expect(await session.notifications.take('hello')).toBe('welcome')
      return Object.fromEntries(session)
    })
    expect(second.result).toEqual({ login: 'alice', language: '中文', views: 3 })
    expect(ids.size).toBe(1)
    expect(second.setCookie).toBeUndefined()
  })

  it('who sets a value and removes it again in the same request gets no session', async () => {
    await alice.request((session) => {
      session.set('a', 1)
      session.delete('a')
    })
    expect(store.since()).toEqual([])
  })

  it('who logs out gets no session', async () => {
    const { setCookie } = await alice.request((session) => session.logout())
    expect(setCookie).toBeUndefined()
    expect(store.since()).toEqual([])
  })
})

describe('the cost of a request', () => {
  beforeEach(async () => {
    await alice.request((session) => session.set('login', 'alice'))
    store.since()
  })

  it('is one call when it reads', async () => {
    await alice.request((session) => session.get('login'))
    expect(store.since()).toEqual(['load'])
  })

  it('is two calls when it writes any number of values', async () => {
    await alice.request((session) => session.set('a', 1).set('b', 2).increment('c'))
    expect(store.since()).toEqual(['load', 'commit'])
  })

  it('is one call when a value is set to what it was', async () => {
    await alice.request((session) => session.set('login', 'alice'))
    expect(store.since()).toEqual(['load'])
  })

  it('is one call after the load for a login, a renewal and a logout', async () => {
    await alice.request((session) => session.login('alice'))
    await alice.request((session) => session.renew())
    await alice.request((session) => session.logout())
    expect(store.since()).toEqual(['load', 'commit', 'load', 'commit', 'load', 'destroy'])
  })
})

describe('a cookie', () => {
  beforeEach(async () => {
    await alice.request((session) => session.set('login', 'alice'))
    store.since()
  })

  it('that is tampered with, cut, or foreign makes an anonymous visitor without a store call', async () => {
    const good = alice.cookie ?? ''
    const foreign = new Visitor(manage({ secret: 'another secret of the tests, quite long' }))
    await foreign.request((session) => session.set('a', 1))
    store.since()
    for (const cookie of [good.slice(0, -1), `${good}A`, foreign.cookie, 'sid=1', `x${good}`]) {
      const visitor = new Visitor(sessions, cookie)
      const { result, setCookie } = await visitor.request((session) => session.established)
      expect(result).toBe(false)
      expect(setCookie).toBeUndefined()
    }
    expect(store.since()).toEqual([])
    expect(types()).toContain('cookie-refused')
  })

  it('of a session that ended is never adopted: a new session has another id', async () => {
    const old = alice.cookie
    const { result: oldId } = await alice.request((session) => session.id)
    await alice.request((session) => session.destroy())
    expect(alice.cookie).toBeUndefined()
    const thief = new Visitor(sessions, old)
    const { result } = await thief.request((session) => {
      expect(session.established).toBe(false)
      session.set('a', 1)
      return session.id
    })
    expect(result).not.toBe(oldId)
    expect(types()).toContain('unknown-session')
  })

  it('of our name that comes first and is forged does not hide the genuine one', async () => {
    const name = sessions.cookieName
    const both = new Visitor(sessions, `${name}=evil; ${name}=v1.x; ${alice.cookie}`)
    expect((await both.request((session) => session.get('login'))).result).toBe('alice')
  })

  it('of another genuine session beside it makes the visitor anonymous, and says so', async () => {
    const mallory = new Visitor(sessions)
    await mallory.request((session) => session.set('login', 'mallory'))
    const both = new Visitor(sessions, `${alice.cookie}; ${mallory.cookie}`)
    expect((await both.request((session) => session.get('login'))).result).toBeUndefined()
    expect(types()).toContain('ambiguous-cookie')
  })

  it('of an older secret is good, and is issued again with the current one', async () => {
    const rotated = manage({ secret: ['the current secret of the tests, also long', SECRET] })
    const visitor = new Visitor(rotated, alice.cookie)
    const { setCookie } = await visitor.request((session) => session.get('login'))
    expect(setCookie).toBeDefined()
    const again = await visitor.request((session) => session.get('login'))
    expect(again).toMatchObject({ result: 'alice', setCookie: undefined })
  })

  it('of one namespace means nothing in another', async () => {
    const visitor = new Visitor(manage({ namespace: 'admin' }), alice.cookie)
    expect((await visitor.request((session) => session.established)).result).toBe(false)
  })

  it('over plain http elsewhere than localhost is sent with a warning that says why it is dropped', async () => {
    const info = { secure: false, host: 'shop.example:8080' }
    await new Visitor(sessions).request((session) => session.set('a', 1), info)
    expect(events.at(-1)).toMatchObject({
      type: 'insecure-transport',
      message: expect.stringContaining("'shop.example:8080': browsers drop it"),
    })
    events.length = 0
    for (const host of ['localhost:8888', '127.0.0.1', '[::1]:80', 'app.localhost']) {
      await new Visitor(sessions).request((session) => session.set('a', 1), { secure: false, host })
    }
    expect(types()).not.toContain('insecure-transport')
  })
})

describe('time', () => {
  beforeEach(() => alice.request((session) => session.set('login', 'alice')))
  const isThere = async () => (await alice.request((session) => session.has('login'))).result

  it('ends a session that is idle for too long', async () => {
    now += HOUR - 1
    expect(await isThere()).toBe(true)
    now += HOUR
    expect(await isThere()).toBe(false)
  })

  it('moves the idle deadline by reading, but not on every request', async () => {
    const deadline = async () => (await alice.request((session) => session.expiresAt)).result ?? 0
    const first = await deadline()
    now += 5 * MINUTE
    expect(await deadline()).toBe(first)
    now += 2 * MINUTE
    expect(await deadline()).toBe(now + HOUR)
  })

  it('ends a session at its absolute deadline however active it is; renew does not move that', async () => {
    for (let minute = 0; minute < 24 * 60 - 30; minute += 30) {
      now += 30 * MINUTE
      await alice.request((session) => session.renew())
    }
    expect(await isThere()).toBe(true)
    now += 30 * MINUTE
    expect(await isThere()).toBe(false)
  })

  it('begins anew at a login', async () => {
    for (let half = 0; half < 47; half++) {
      now += 30 * MINUTE
      expect(await isThere()).toBe(true)
    }
    await alice.request((session) => session.login('alice'))
    now += 45 * MINUTE
    expect(await isThere()).toBe(true)
  })

  it('makes a persistent cookie that lives as long as the idle time and moves with it', async () => {
    const visitor = new Visitor(manage({ cookie: { expiresDays: 2 } }))
    const first = await visitor.request((session) => session.set('a', 1))
    expect(first.setCookie).toContain('Max-Age=172800')
    now += MINUTE
    expect((await visitor.request((session) => session.get('a'))).setCookie).toBeUndefined()
    now += 24 * HOUR
    expect((await visitor.request((session) => session.get('a'))).setCookie).toContain(
      'Max-Age=172800',
    )
    now += 47 * HOUR
    expect((await visitor.request((session) => session.get('a'))).result).toBe(1)
    now += 49 * HOUR
    expect((await visitor.request((session) => session.get('a'))).result).toBeUndefined()
  })

  it('makes a cookie that ends with the browser unless told otherwise', async () => {
    const { setCookie } = await new Visitor(sessions).request((session) => session.set('a', 1))
    expect(setCookie).not.toMatch(/Max-Age|Expires/i)
  })

  it('remembers one visitor for longer than the others', async () => {
    const { setCookie } = await alice.request((session) => session.remember('30d'))
    expect(setCookie).toContain('Max-Age=2592000')
    now += 29 * 24 * HOUR
    expect(await isThere()).toBe(true)
    expect((await alice.request((session) => session.set('a', 1))).setCookie).toBeUndefined()
    now += 24 * HOUR
    expect(await isThere()).toBe(false)
  })
})

describe('rotation', () => {
  beforeEach(async () => {
    await alice.request((session) => session.set('login', 'alice'))
  })

  it('by renew keeps the older cookie for the grace period, and sends such a client the current one', async () => {
    const slow = new Visitor(sessions, alice.cookie)
    await alice.request((session) => session.renew())
    expect(slow.cookie).not.toBe(alice.cookie)
    now += MINUTE - 1
    const late = await slow.request((session) => session.set('late', true))
    expect(late.setCookie?.split(';')[0]).toBe(alice.cookie)
    const stale = new Visitor(sessions, slow.cookie)
    await alice.request((session) => session.renew())
    now += MINUTE
    expect((await stale.request((session) => session.established)).result).toBe(false)
    expect(types()).toContain('replayed')
    expect((await alice.request((session) => session.get('late'))).result).toBe(true)
  })

  it('by login refuses the older cookie at once, and the write of a request under way', async () => {
    const planted = new Visitor(sessions, alice.cookie)
    const parked = await planted.begin()
    parked.session.set('planted', true)
    await alice.request((session) => session.login('alice'))
    const late = await parked.finish()
    expect(late.headers.map(([name]) => name)).not.toContain('Set-Cookie')
    expect(events.at(-1)).toMatchObject({
      type: 'write-dropped',
      outcome: 'stale',
      names: ['planted'],
    })
    expect((await planted.request((session) => session.established)).result).toBe(false)
    const { result } = await alice.request((session) => [session.user, session.has('planted')])
    expect(result).toEqual(['alice', false])
  })

  it('of eight requests at once has one winner, and all learn its generation', async () => {
    const tabs = Array.from({ length: 8 }, () => new Visitor(sessions, alice.cookie))
    const under = await Promise.all(tabs.map((tab) => tab.begin()))
    for (const { session } of under) session.renew()
    await Promise.all(under.map(({ finish }) => finish()))
    expect(new Set(tabs.map((tab) => tab.cookie)).size).toBe(1)
    expect(events.filter(({ type }) => type === 'renewed')).toHaveLength(1)
  })

  it('happens by itself when renewAfter has passed', async () => {
    const visitor = new Visitor(manage({ renewAfter: '15m' }))
    await visitor.request((session) => session.set('a', 1))
    now += 14 * MINUTE
    expect((await visitor.request((session) => session.get('a'))).setCookie).toBeUndefined()
    now += MINUTE
    expect((await visitor.request((session) => session.get('a'))).setCookie).toContain('.1.')
  })
})

describe('login', () => {
  it('keeps what the visitor had, rotates, and says who and when', async () => {
    await alice.request((session) => session.set('cart', ['tea']))
    const before = alice.cookie
    const { setCookie } = await alice.request((session) => session.login('alice'))
    expect(setCookie).toBeDefined()
    expect(alice.cookie).not.toBe(before)
    const { result } = await alice.request((session) => [
      session.user,
      session.authenticatedAt,
      session.get('cart'),
    ])
    expect(result).toEqual(['alice', now, ['tea']])
  })

  it('of another user on the same session drops the values of the first', async () => {
    await alice.request((session) => session.set('cart', ['tea']).login('alice'))
    await alice.request((session) => session.login('bob'))
    const { result } = await alice.request((session) => [session.user, session.has('cart')])
    expect(result).toEqual(['bob', false])
  })

  it('with keep drops everything else', async () => {
    await alice.request((session) => session.set('cart', 1).set('planted', 2))
    await alice.request((session) => session.login('alice', { keep: ['cart'] }))
    const { result } = await alice.request((session) => [...session.keys()])
    expect(result).toEqual(['cart'])
  })

  it('whose button is clicked twice logs in twice, never out', async () => {
    await alice.request((session) => session.set('a', 1))
    const first = await alice.begin()
    const second = await new Visitor(sessions, alice.cookie).begin()
    first.session.login('alice')
    second.session.login('alice')
    const answers = [await first.finish(), await second.finish()]
    for (const { setCookie } of answers) {
      const browser = new Visitor(sessions, setCookie?.split(';')[0])
      expect((await browser.request((session) => session.user)).result).toBe('alice')
    }
  })

  it.each(['', 'a\0b', '\ud800', 'x'.repeat(1025), 7 as never])(
    'refuses %j as a user',
    async (user) => {
      await expect(alice.request((session) => session.login(user))).rejects.toMatchObject({
        code: 'ERR_SESSION_VALUE',
      })
    },
  )
})

describe('logout', () => {
  beforeEach(() =>
    alice.request((session) => session.set('cart', 1).set('theme', 'dark').login('alice')),
  )

  it('ends the session, its cookie, and the write of a request under way', async () => {
    const parked = await new Visitor(sessions, alice.cookie).begin()
    const replay = new Visitor(sessions, alice.cookie)
    const { setCookie } = await alice.request((session) => session.logout())
    expect(setCookie).toMatch(/^__Host-Http-sid=; .*Max-Age=0/)
    parked.session.set('cart', 2)
    const late = await parked.finish()
    expect(late.headers).toEqual([['Vary', 'Cookie']])
    expect((await replay.request((session) => session.established)).result).toBe(false)
    expect(types()).toEqual(expect.arrayContaining(['logged-out', 'destroyed', 'write-dropped']))
  })

  it('with keep leaves those values to the visitor, without a user and under a new credential', async () => {
    const replay = new Visitor(sessions, alice.cookie)
    await alice.request((session) => session.logout({ keep: ['theme'] }))
    const { result } = await alice.request((session) => [session.user, Object.fromEntries(session)])
    expect(result).toEqual([undefined, { theme: 'dark' }])
    expect((await replay.request((session) => session.established)).result).toBe(false)
  })

  it('may leave a message to the next page', async () => {
    await alice.request((session) => {
      session.logout()
      session.notifications.set('bye', 'You are logged out')
    })
    const { result } = await alice.request(async (session) => [
      session.user,
      session.size,
      await session.notifications.take('bye'),
    ])
    expect(result).toEqual([undefined, 0, 'You are logged out'])
  })

  it('drops also what a parallel request added meanwhile', async () => {
    const leaving = await alice.begin()
    await new Visitor(sessions, alice.cookie).request((session) => session.set('added', true))
    leaving.session.logout({ keep: ['theme'] })
    await leaving.finish()
    expect((await alice.request((session) => session.has('added'))).result).toBe(false)
  })
})

describe('destroy', () => {
  it('is terminal in its request', async () => {
    await alice.request((session) => session.set('a', 1))
    await alice.request((session) => {
      session.destroy()
      expect(session.established).toBe(false)
      expect(session.get('a')).toBeUndefined()
      expect(() => session.set('a', 2)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_DESTROYED' }),
      )
      expect(() => session.login('alice')).toThrow('destroyed in this request')
    })
    expect(alice.cookie).toBeUndefined()
  })
})

describe('parallel requests', () => {
  beforeEach(() => alice.request((session) => session.set('list', ['a'])))

  it('keep each other’s values, also deletions and values changed in place', async () => {
    await alice.request((session) => session.set('gone', 1).set('kept', 1))
    const [one, two] = [await alice.begin(), await alice.begin()]
    const list = one.session.get('list')
    if (Array.isArray(list)) list.push('b')
    two.session.set('new', true).delete('gone')
    await Promise.all([one.finish(), two.finish()])
    const { result } = await alice.request((session) => Object.fromEntries(session))
    expect(result).toEqual({ list: ['a', 'b'], kept: 1, new: true })
  })

  it('add up what they increment', async () => {
    const tabs = await Promise.all(Array.from({ length: 16 }, () => alice.begin()))
    for (const { session } of tabs) session.increment('views')
    await Promise.all(tabs.map(({ finish }) => finish()))
    expect((await alice.request((session) => session.get('views'))).result).toBe(16)
  })

  it('update one value by compare-and-set, none lost', async () => {
    const tabs = await Promise.all(Array.from({ length: 16 }, () => alice.begin()))
    await Promise.all(
      tabs.map(({ session }, index) =>
        session.update('list', (list) => [...(Array.isArray(list) ? list : []), index]),
      ),
    )
    const { result } = await alice.request((session) => session.get('list'))
    expect(result).toHaveLength(17)
    await expect(
      alice.request((session) => session.update('list', () => undefined)),
    ).resolves.toBeDefined()
    expect((await alice.request((session) => session.has('list'))).result).toBe(false)
  })

  it('take a notification exactly once', async () => {
    await alice.request((session) => session.notifications.set('saved', { text: 'Profile saved' }))
    const tabs = await Promise.all(Array.from({ length: 16 }, () => alice.begin()))
    for (const { session } of tabs) expect([...session.notifications.keys()]).toEqual(['saved'])
    const taken = await Promise.all(tabs.map(({ session }) => session.notifications.take('saved')))
    expect(taken.filter((message) => message !== undefined)).toEqual([{ text: 'Profile saved' }])
  })
})

describe('after the headers have left', () => {
  it('values of an established session are saved by a later commit', async () => {
    await alice.request((session) => session.set('a', 1))
    const session = await sessions.open(alice.cookie)
    await sessions.commit(session)
    sessions.seal(session)
    session.set('a', 2)
    expect(await sessions.commit(session)).toEqual([])
    expect((await alice.request((again) => again.get('a'))).result).toBe(2)
  })

  it('a session can neither begin nor change its credential', async () => {
    const fresh = await sessions.open(undefined)
    sessions.seal(fresh)
    const sent = expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' })
    expect(() => fresh.set('a', 1)).toThrow(sent)
    await alice.request((session) => session.set('a', 1))
    const session = await sessions.open(alice.cookie)
    sessions.seal(session)
    expect(() => session.login('alice')).toThrow(sent)
    expect(() => session.renew()).toThrow(sent)
    session.logout()
    await sessions.commit(session)
    expect((await alice.request((again) => again.established)).result).toBe(false)
  })
})

describe('outside a request', () => {
  it('edit changes a session by its public id', async () => {
    const { result: id } = await alice.request((session) => session.set('a', 1).id)
    const seen = await sessions.edit(id, (session) => {
      session.set('b', 2)
      return session.get('a')
    })
    expect(seen).toBe(1)
    expect((await alice.request((session) => session.get('b'))).result).toBe(2)
    expect(await sessions.edit('nobody' as never, () => 1)).toBeUndefined()
  })

  it('revoke ends a session once', async () => {
    const { result: id } = await alice.request((session) => session.set('a', 1).id)
    expect(await sessions.revoke(id)).toBe(true)
    expect(await sessions.revoke(id)).toBe(false)
    expect((await alice.request((session) => session.established)).result).toBe(false)
  })
})

describe('what the client said of itself', () => {
  it('is recorded when the session is established, cut and cleaned', async () => {
    const info = { userAgent: `Test\0${'x'.repeat(400)}`, address: '127.0.0.1' }
    await alice.request((session) => session.set('a', 1), info)
    const { result } = await alice.request((session) => session.client, { userAgent: 'other' })
    expect(result?.address).toBe('127.0.0.1')
    expect(result?.userAgent).toHaveLength(256)
    expect(result?.userAgent).not.toContain('\0')
  })
})

describe('a session that is written to a log', () => {
  it('shows names and never values or tokens', async () => {
    await alice.request((session) => session.set('card', 'secret-4111').login('alice'))
    const { result } = await alice.request((session) => JSON.stringify(session))
    expect(result).toContain('card')
    expect(result).not.toContain('4111')
    const token = alice.cookie?.split('.')[2] ?? 'none'
    expect(result).not.toContain(token)
    expect(JSON.stringify(events)).not.toContain(token)
  })
})
