import { describe, expect, test } from 'vitest'
import {
  formatSetCookie,
  parseCookieHeader,
  parseRequestCookies,
  quoteCookieValue,
  unquoteCookieValue,
} from '../../src/tornado/cookies.ts'
import { vectors } from './vectors.ts'

describe('the value of a cookie', () => {
  test.each(vectors.cookie_quote)('$value is sent as $wire and comes back', (vector) => {
    expect(quoteCookieValue(vector.value)).toBe(vector.wire)
    expect(unquoteCookieValue(vector.wire)).toBe(vector.parsed_back)
  })

  test('is unquoted in time that grows with its length, whatever it holds', () => {
    const header = `a="${'\\'.repeat(200_000)}${'\\"'.repeat(100_000)}"`
    const begun = performance.now()
    expect(parseRequestCookies(header).get('a')).toHaveLength(200_000)
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})

describe('a Cookie header', () => {
  test.each(vectors.cookie_parse)('$header', (vector) => {
    expect(Object.fromEntries(parseCookieHeader(vector.header))).toEqual(vector.parse_cookie)
    expect(Object.fromEntries(parseRequestCookies(vector.header))).toEqual(vector.request_cookies)
  })

  test.each(['\xa0', '\x85', '\xad', '\x0b', '\x0c', '\u2028', '\ufeff'])(
    'a name with %j before or after it is not that name',
    (blank) => {
      expect([...parseRequestCookies(`${blank}__Host-a=1; __Host-b${blank}=2`)]).toEqual([])
    },
  )

  test('a name is not percent-decoded', () => {
    expect(parseRequestCookies('%5F%5FHost-a=1').has('__Host-a')).toBe(false)
  })

  test('names of object members are ordinary names', () => {
    expect(parseRequestCookies('__proto__=1; constructor=2').get('__proto__')).toBe('1')
    expect(parseRequestCookies('a=1').get('constructor')).toBeUndefined()
  })
})

describe('a Set-Cookie line', () => {
  const now = Date.UTC(2026, 10, 23, 15, 12, 51)

  test('has the path / unless another is given, and the attributes in the order of their names', () => {
    expect(formatSetCookie('a', 'b', {}, now)).toBe('a=b; Path=/')
    expect(formatSetCookie('a', 'b', { path: '' }, now)).toBe('a=b')
    const all = {
      secure: true,
      sameSite: 'strict',
      path: '/p',
      maxAge: 5,
      httpOnly: true,
      expiresDays: 2,
      domain: 'a.test',
    } as const
    expect(formatSetCookie('a', '', all, now)).toBe(
      'a=""; Domain=a.test; expires=Wed, 25 Nov 2026 15:12:51 GMT; HttpOnly; Max-Age=5; Path=/p; SameSite=Strict; Secure',
    )
  })

  test('expires goes before expiresDays', () => {
    expect(formatSetCookie('a', 'b', { expires: 0, expiresDays: 2 }, now)).toContain('01 Jan 1970')
  })

  test.each(['path', 'Secure', 'a b', 'a;b', '', 'é', 'a=b', 'a\r\nb'])(
    'cannot be named %j',
    (name) => {
      expect(() => formatSetCookie(name, 'b', {}, now)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_MISUSE' }),
      )
    },
  )

  test.each(['a b', 'a\r\nSet-Cookie: b=c', '\0', '张'])(
    'cannot hold %j, and the error does not show it',
    (value) => {
      expect(() => formatSetCookie('a', value, {}, now)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(value) }),
      )
    },
  )

  test.each(['a; Domain=evil.test', 'a\r\nb', '/\x7f', '/é'])('has no attribute %j', (text) => {
    expect(() => formatSetCookie('a', 'b', { path: text }, now)).toThrow(/path/)
    expect(() => formatSetCookie('a', 'b', { domain: text }, now)).toThrow(/domain/)
  })
})
