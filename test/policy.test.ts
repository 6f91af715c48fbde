import { afterEach, describe, expect, it, vi } from 'vitest'
import { SessionManager } from '../src/manager.ts'
import { resolvePolicy } from '../src/policy.ts'
import { MemoryStore } from '../src/stores/memory.ts'

const refused = (message: string | RegExp) =>
  expect.objectContaining({
    code: 'ERR_SESSION_OPTION',
    message: expect.stringMatching(message),
  })

describe('the options', () => {
  it('have safe defaults: an hour idle, a day in all, a cookie for this host that scripts cannot read', () => {
    expect(resolvePolicy({}, true)).toMatchObject({
      idle: 3_600_000,
      lifetime: 86_400_000,
      renewAfter: undefined,
      grace: 60_000,
      onStoreFailure: 'fail',
      storeDeadline: 2000,
      cookie: { name: 'sid', sameSite: 'lax', persistent: false, path: '/', secure: true },
    })
  })

  it('are frozen once they are checked', () => {
    const policy = resolvePolicy({}, false)
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.cookie)).toBe(true)
    expect(Object.isFrozen(policy.limits)).toBe(true)
  })

  it('expiresDays makes the cookie persistent and the idle time as long, within a month at least', () => {
    const policy = resolvePolicy({ cookie: { expiresDays: 2 } }, false)
    expect(policy).toMatchObject({ idle: 172_800_000, lifetime: 2_592_000_000 })
    expect(policy.cookie.persistent).toBe(true)
    expect(resolvePolicy({ cookie: { expiresDays: 120 } }, false).lifetime).toBe(10_368_000_000)
  })

  it.each([
    [{ idelTimeout: '1h' }, /no option 'idelTimeout'. Did you mean 'idleTimeout'\?/],
    [{ cookie: { samesite: 'lax' } }, /cookie has no option 'samesite'. Did you mean 'sameSite'\?/],
    [{ cookie: { httpOnly: false } }, /cookie has no option 'httpOnly'. It knows name, sameSite/],
    [{ limits: { bytes: 1 } }, /limits has no option 'bytes'/],
    [{ idleTimeout: 3600 }, /idleTimeout must be a duration above zero/],
    [{ idleTimeout: '2d', lifetime: '1d' }, /lifetime \(1d\) is shorter than the idle timeout/],
    [{ cookie: { expiresDays: 2 }, idleTimeout: '1h' }, /Give one/],
    [{ cookie: { expiresDays: 0 } }, /above 0 and at most 400/],
    [{ cookie: { expiresDays: 2, persistent: false } }, /leave cookie.persistent out/],
    [{ cookie: { sameSite: 'Lax' } }, /cookie.sameSite must be 'lax' or 'strict' or 'none'/],
    [{ cookie: { persistent: 'yes' } }, /cookie.persistent must be true or false/],
    [{ onStoreFailure: 'ignore' }, /onStoreFailure must be 'fail' or 'anonymous'/],
    [{ limits: { names: 0 } }, /limits.names must be a whole number above 0/],
    [{ namespace: '\ud800' }, /namespace must be text/],
    [{ store: 'redis' }, /store must be a store, such as new RedisStore\(client\)/],
    [{ store: { get() {}, set() {} } }, /store must be a store/],
    [{ observe: 'log' }, /observe must be a function/],
    [{ now: 1 }, /now must be a function/],
    [null, /SessionManager takes an object of options/],
    ['a secret', /SessionManager takes an object of options/],
  ])('%j is refused with what to do', (options, message) => {
    expect(() => resolvePolicy(options as never, false)).toThrow(refused(message))
  })

  it('insecureDevelopment is refused in production', () => {
    expect(() => resolvePolicy({ insecureDevelopment: true }, true)).toThrow(
      refused(/NODE_ENV is production/),
    )
  })
})

describe('a manager', () => {
  afterEach(() => vi.unstubAllEnvs())
  const make = (options: object) => () =>
    new SessionManager({ secret: 'x'.repeat(40), store: new MemoryStore(), ...options })

  it.each([
    [{ cookie: { name: 'my session' } }, /name/],
    [{ cookie: { domain: 'a.test; Path=/' } }, /domain/],
    [{ cookie: { path: '/a;b' } }, /path/],
    [{ cookie: { sameSite: 'none' }, insecureDevelopment: true }, /secure/i],
  ])('refuses %j at construction', (options, message) => {
    expect(make(options)).toThrow(refused(message))
  })

  it.each([
    [{}, '__Host-Http-sid'],
    [{ cookie: { name: 'shop' } }, '__Host-Http-shop'],
    [{ cookie: { domain: 'shop.test' } }, '__Secure-sid'],
    [{ cookie: { path: '/shop' } }, '__Secure-sid'],
    [{ insecureDevelopment: true }, 'sid'],
  ])('with %j names its cookie %s', (options, name) => {
    expect(make(options)().cookieName).toBe(name)
  })

  it('without a secret does not start in production', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(make({ secret: undefined })).toThrow('No secret was given')
    expect(make({ secret: '' })).toThrow('No secret was given')
    expect(make({ secret: 'keyboard cat' })).toThrow('at least 32')
  })

  it('describes the policy in force as a table', () => {
    expect(make({ renewAfter: '15m', cookie: { expiresDays: 2 } })().describe())
      .toMatchInlineSnapshot(`
      "| session                        | in force |
      | ------------------------------ | --- |
      | ends without a request after   | 2d |
      | ends at the latest after       | 30d |
      | credential is renewed          | every 15m, the older one good for 1m |
      | cookie                         | __Host-Http-sid; Path=/; this host only; Secure; HttpOnly; SameSite=lax; persistent |
      | namespace                      | none |
      | when the store fails           | error 503 |
      | a user has at most             | any number of sessions |
      | one value holds at most        | 1048576 bytes |
      | a session holds at most        | 10000 names, 4194304 characters |
      | store                          | memory |
      | shared by                      | this process |
      | a write survives               | nothing |
      | expired records are removed by | sweeping |"
    `)
  })
})
