import { describe, expect, test } from 'vitest'
import type { SessionOptions } from '../../src/options.ts'
import { Application } from '../../src/tornado/index.ts'
import type { Route, Settings } from '../../src/tornado/index.ts'
import { IN_MEMORY, SECRET, run } from './running.ts'
import { doing } from './work.ts'

const set = doing(({ session }) => session.set('a', 1).size)

describe('D31: a mistake in the settings', () => {
  const cookieSecret = SECRET
  const wrong = (pycket: unknown) => () =>
    new Application([['/', set]], { cookieSecret, pycket } as Settings)

  test.each([
    [{ engine: 'rediss' }, /must be one of 'embedded', 'memory', 'redis'.*Did you mean 'redis'/],
    [{ engine: 'mongo' }, /must be one of 'embedded', 'memory', 'redis'/],
    [{ engine: 7 }, /must be one of 'embedded', 'memory', 'redis'/],
    [{ engine: 'constructor' }, /must be one of/],
    [{ engin: 'redis' }, /pycket has no option 'engin'. Did you mean 'engine'/],
    [{ engine: 'redis', storage: { hots: 'x' } }, /Did you mean 'host'/],
    [{ engine: 'memory', storage: { host: 'x' } }, /host/],
    [{ engine: 'memory', cookies: { expires_days: 2 } }, /Did you mean 'expiresDays'/],
    [{ engine: 'memory', cookies: { httpOnly: false } }, /always httpOnly and secure/],
    [{ engine: 'memory', cookies: { expiresDays: 0 } }, /expiresDays/],
    [undefined, /SessionMixin.*Set pycket.*'embedded', 'memory', 'redis'/],
  ])('%j is shown when the application is made', (pycket, message) => {
    expect(wrong(pycket)).toThrow(
      expect.objectContaining({
        code: 'ERR_SESSION_OPTION',
        message: expect.stringMatching(message),
      }),
    )
  })

  test('every option of a session manager can stand beside the engine', () => {
    const options: Required<Omit<SessionOptions, 'secret' | 'store' | 'cookie'>> = {
      idleTimeout: '1h',
      lifetime: '24h',
      renewAfter: '15m',
      grace: '60s',
      onStoreFailure: 'fail',
      storeDeadline: '2s',
      namespace: 'shop',
      limits: { names: 10 },
      maxPerUser: 3,
      onLimit: 'reject',
      insecureDevelopment: false,
      observe: () => {},
      now: Date.now,
    }
    expect(wrong({ engine: 'memory', ...options })).not.toThrow()
  })

  test.each([
    [{ cookie_secret: SECRET }, /Did you mean 'cookieSecret'/],
    [{ xsrfCookie: true }, /Did you mean 'xsrfCookies'/],
    [{ maxBodySize: -1 }, /maxBodySize/],
    [{ xsrfCookies: 'yes' }, /xsrfCookies must be of the type boolean, not string/],
    [{ xheaders: 1 }, /xheaders must be of the type boolean/],
    [{ pycket: null }, /pycket must be of the type object, not null/],
    [{ logFunction: 'console' }, /logFunction must be of the type function/],
    [{ xsrfTrustedOrigins: ['https://shop.example/'] }, /such as 'https:\/\/shop.example'/],
    [{ xsrfTrustedOrigins: ['shop.example'] }, /xsrfTrustedOrigins must be origins/],
  ])('so is %j', (settings, message) => {
    expect(() => new Application([], settings as Settings)).toThrow(message)
  })

  test('so is a route without a class of handlers', () => {
    const route = ['/', class {}] as unknown as Route
    expect(() => new Application([route])).toThrow(/extends RequestHandler/)
  })

  test('a short cookieSecret is refused in production, with what to do', () => {
    const before = process.env['NODE_ENV']
    process.env['NODE_ENV'] = 'production'
    try {
      const made = () => new Application([['/', set]], { ...IN_MEMORY, cookieSecret: 'short' })
      expect(made).toThrow(expect.objectContaining({ code: 'ERR_SESSION_SECRET' }))
      expect(made).toThrow(/openssl rand/)
      const without = () => new Application([['/', set]], { pycket: { engine: 'memory' } })
      expect(without).toThrow(expect.objectContaining({ code: 'ERR_SESSION_SECRET' }))
    } finally {
      process.env['NODE_ENV'] = before
    }
  })

  test('settings of the program itself are left alone, and none is ever changed', async () => {
    const cookies = Object.freeze({ expiresDays: 2, domain: undefined })
    const pycket = Object.freeze({ engine: 'memory', cookies, storage: Object.freeze({}) } as const)
    const settings = Object.freeze({ cookieSecret, pycket, myTitle: 'hello' })
    const { visitor } = await run([['/', set]], settings)
    expect((await visitor().get('/')).cookies).toHaveLength(1)
    expect(settings).toEqual({ cookieSecret, pycket, myTitle: 'hello' })
  })

  test('an application without sessions needs no setting', async () => {
    await expect(run([])).resolves.toBeDefined()
  })
})
