import { describe, expect, test } from 'vitest'
import { deletionCookie, readCookie, serializeCookie } from '../src/cookie.ts'
import { refused } from './support/refused.ts'

const attributes = { path: '/', secure: true, sameSite: 'lax', partitioned: false } as const
const cookie = { name: '__Host-Http-sid', ...attributes }

describe('reading a cookie', () => {
  const found: [title: string, header: string, values: string[]][] = [
    ['one', 'sid=v', ['v']],
    ['blanks around it', ' sid=v', ['v']],
    ['tabs around everything', '\tsid\t=\tv\t', ['v']],
    ['others around it', 'a=1; sid=v; b=2', ['v']],
    ['no blank between', 'a=1;sid=v;b=2', ['v']],
    ['no value', 'sid=', ['']],
    ['an equals sign as the value', 'sid==', ['=']],
    ['empty pairs', ';;; ;sid=v;;', ['v']],
    ['quotes are part of the value', 'sid="v"', ['"v"']],
    ['nothing is decoded', 'sid=%41%3B', ['%41%3B']],
    ['a quoted neighbour hides nothing', 'a="x; sid=real; b=y"', ['real']],
    ['an old version attribute', '$Version=1; sid=v; $Path=/', ['v']],
    ['a backslash', 'sid=\\"; sid=\\\\', ['\\"', '\\\\']],
    ['two, in the order of the header', 'sid=1; a=0; sid=2', ['1', '2']],
    ['four', 'sid=1; sid=2; sid=3; sid=4', ['1', '2', '3', '4']],
    ['four of five', 'sid=1; sid=2; sid=3; sid=4; sid=5', ['1', '2', '3', '4']],
    ['two joined by a comma are one value', 'sid=1, sid=2', ['1, sid=2']],
    ['other blanks are part of the value', 'sid=\u00a0v\u00a0', ['\u00a0v\u00a0']],
    ['controls are part of the value', 'sid=\0v\x7f', ['\0v\x7f']],
  ]

  test.each(found)('%s', (_, header, values) => {
    expect(readCookie(header, 'sid')).toStrictEqual(values)
  })

  const nothing: [title: string, header: string | undefined][] = [
    ['no header', undefined],
    ['an empty header', ''],
    ['only a semicolon', ';'],
    ['only an equals sign', '='],
    ['a name without an equals sign', 'sid'],
    ['a nameless cookie', '=sid=evil'],
    ['a nameless cookie with that value', '=sid'],
    ['a longer name', 'sid2=evil'],
    ['a name that ends so', 'xsid=evil'],
    ['another case', 'SID=evil'],
    ['a percent-encoded name', '%73id=evil'],
    ['a quoted name', '"sid"=evil'],
    ['a name with a blank inside', 's id=evil'],
    ['a name behind a comma', 'x=1, sid=evil'],
    ['a name in a value', 'x=sid=evil'],
    ['an underscore for a prefix', '__sid=evil'],
  ]

  test.each(nothing)('nothing is found: %s', (_, header) => {
    expect(readCookie(header, 'sid')).toStrictEqual([])
  })

  // What the trimming of other languages and libraries strips: a neighbouring host could set such a
  // name, and it would pass for ours.
  const strange = [
    '\u00a0',
    '\u0085',
    '\u00ad',
    '\u2000',
    '\xe2\x80\x80',
    '\u3000',
    '\ufeff',
    '\v',
    '\f',
    '\0',
    '\x7f',
    '\r',
    '\n',
    '\ud800',
  ]

  test.each(strange)('a name with %j beside it is another name', (blank) => {
    expect(readCookie(`${blank}sid=evil`, 'sid')).toStrictEqual([])
    expect(readCookie(`sid${blank}=evil`, 'sid')).toStrictEqual([])
    expect(readCookie(`a=1; ${blank} sid=evil; sid=good`, 'sid')).toStrictEqual(['good'])
  })

  test('a prefixed name is found in that spelling alone', () => {
    const name = '__Host-Http-sid'
    const spellings = [
      '%5F%5FHost-Http-sid',
      '__HOST-HTTP-sid',
      '__host-http-sid',
      '__Host.Http.sid',
      '=__Host-Http-sid',
      '__Host-sid',
      'sid',
    ]
    const header = [...spellings, name].map((spelling, index) => `${spelling}=${index}`).join('; ')
    expect(readCookie(header, name)).toStrictEqual(['7'])
  })

  test('names of Object.prototype are names like others', () => {
    expect(readCookie('a=1; constructor=2', '__proto__')).toStrictEqual([])
    expect(readCookie('__proto__=1; toString=2', '__proto__')).toStrictEqual(['1'])
    expect(readCookie('__proto__=1; toString=2', 'toString')).toStrictEqual(['2'])
  })

  test('another number of values can be asked for', () => {
    expect(readCookie('sid=1; sid=2; sid=3', 'sid', 2)).toStrictEqual(['1', '2'])
  })

  test('a header of 16,384 characters is read, a longer one is not', () => {
    const filler = `a=${'x'.repeat(16_384 - 'a=; sid=v'.length)}`
    expect(readCookie(`${filler}; sid=v`, 'sid')).toStrictEqual(['v'])
    expect(readCookie(`${filler}x; sid=v`, 'sid')).toStrictEqual([])
  })
})

describe('writing a cookie', () => {
  test('the default: host-bound, over https, not for scripts, until the browser is closed', () => {
    expect(serializeCookie({ ...cookie, value: 'v1.x' })).toBe(
      '__Host-Http-sid=v1.x; Path=/; Secure; HttpOnly; SameSite=Lax',
    )
  })

  test('every attribute, in a fixed order', () => {
    const full = {
      name: '__Secure-sid',
      value: 'v',
      path: '/shop',
      domain: 'example.com',
      secure: true,
      sameSite: 'none',
      partitioned: true,
    } as const
    expect(serializeCookie({ ...full, maxAge: 60, expires: Date.UTC(2030, 0, 2, 3, 4, 5) })).toBe(
      '__Secure-sid=v; Path=/shop; Domain=example.com; Max-Age=60; ' +
        'Expires=Wed, 02 Jan 2030 03:04:05 GMT; Secure; HttpOnly; SameSite=None; Partitioned',
    )
  })

  test('a deletion has the same attributes and a time that has passed', () => {
    const full = {
      name: 'sid',
      path: '/shop',
      domain: 'example.com',
      secure: true,
      sameSite: 'strict',
      partitioned: true,
    } as const
    const attributes = '; Path=/shop; Domain=example.com'
    const flags = '; Secure; HttpOnly; SameSite=Strict; Partitioned'
    expect(serializeCookie({ ...full, value: 'v' })).toBe(`sid=v${attributes}${flags}`)
    expect(deletionCookie(full)).toBe(
      `sid=${attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${flags}`,
    )
  })

  test('without Secure for development', () => {
    expect(serializeCookie({ ...cookie, name: 'sid', secure: false, value: 'v' })).toBe(
      'sid=v; Path=/; HttpOnly; SameSite=Lax',
    )
  })

  const ages: [age: number, seconds: number][] = [
    [59.001, 60],
    [0, 0],
    [-5, 0],
    [400 * 86_400, 34_560_000],
    [400 * 86_400 + 1, 34_560_000],
    [Number.MAX_VALUE, 34_560_000],
    [Infinity, 34_560_000],
  ]

  test.each(ages)('a life of %d seconds is sent as %d', (maxAge, seconds) => {
    const line = serializeCookie({ ...cookie, value: 'v', maxAge })
    expect(line).toContain(`; Max-Age=${seconds}; Expires=`)
    expect(line).toMatch(/; Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT;/)
  })

  test('Expires follows from Max-Age, if it is not given', () => {
    const line = serializeCookie({ ...cookie, value: 'v', maxAge: 3600 })
    const expires = Date.parse(/Expires=([^;]+)/.exec(line)?.[1] ?? '')
    expect(Math.abs(expires - Date.now() - 3_600_000)).toBeLessThan(60_000)
  })

  test.each([' ', ',', ';', '"', '\\', '\r\n', '\0', 'é', 'v; Domain=evil.test'])(
    'a value with %j is refused and not repeated',
    (value) => {
      const error = refused(() => serializeCookie({ ...cookie, value: `secret${value}` }))
      expect(error.code).toBe('ERR_SESSION_MISUSE')
      expect(error.message).not.toContain('secret')
    },
  )

  test('a life that is no number is refused', () => {
    expect(refused(() => serializeCookie({ ...cookie, value: 'v', maxAge: Number.NaN })).code).toBe(
      'ERR_SESSION_MISUSE',
    )
    expect(
      refused(() => serializeCookie({ ...cookie, value: 'v', maxAge: 1, expires: Number.NaN }))
        .code,
    ).toBe('ERR_SESSION_MISUSE')
  })

  test('attributes that browsers refuse are refused here', () => {
    expect(refused(() => serializeCookie({ ...cookie, value: 'v', path: '/a;b' })).code).toBe(
      'ERR_SESSION_OPTION',
    )
    expect(refused(() => deletionCookie({ ...cookie, path: '/a' })).code).toBe('ERR_SESSION_OPTION')
    expect(refused(() => serializeCookie({ ...cookie, value: 'v'.repeat(4082) })).code).toBe(
      'ERR_SESSION_OPTION',
    )
    expect(serializeCookie({ ...cookie, value: 'v'.repeat(4081) })).toContain('vvv; Path=/')
  })
})
