import { describe, expect, test } from 'vitest'
import { compileRoute, matchRoute, reverseRoute } from '../../src/tornado/routes.ts'

function groupsOf(pattern: string | RegExp, path: string): unknown {
  return matchRoute(compileRoute(pattern, undefined, undefined), path)?.()
}

describe('a route', () => {
  test.each([
    ['/', '/', true],
    ['/', '/x', false],
    ['/x', '/', false],
    ['/x', '/x/', false],
    ['/x', '//x', false],
    ['/x', '/X', false],
    ['/x$', '/x', true],
    ['^/x', '/x', true],
    ['/pre.x', '/pre-x', true],
    ['/a|/b', '/b', true],
    ['/a|/b', '/ab', false],
    [String.raw`/\$`, '/$', true],
    [/\/x/i, '/X', true],
    [/\/x/g, '/x', true],
  ])('%s for the path %s: %s', (pattern, path, matches) => {
    expect(groupsOf(pattern, path) !== undefined).toBe(matches)
  })

  test('matches the path as it came, and decodes its groups afterwards', () => {
    expect(groupsOf('/x/(.*)', '/x/a%20b%2Fc+d')).toEqual(['a b/c+d'])
    expect(groupsOf('/a b', '/a%20b')).toBeUndefined()
    expect(groupsOf('/x/(.*)', '/x/%E5%BC%A0%zz%4')).toEqual(['张%zz%4'])
  })

  test('a group that took no part is undefined', () => {
    expect(groupsOf('/x(/[0-9]+)?', '/x')).toEqual([undefined])
  })

  test('named groups come as one object, in the notation of Python too', () => {
    expect(groupsOf('/(?<year>[0-9]+)/(?P<name>.*)', '/2026/a%21')).toEqual([
      { year: '2026', name: 'a!' },
    ])
  })

  test('a group that is not UTF-8 is 400', () => {
    const match = matchRoute(compileRoute('/(.*)', undefined, undefined), '/%ff')
    expect(match).toThrow(expect.objectContaining({ status: 400 }))
  })

  test.each(['/(', '/(?<a>x)(y)'])('%s is refused when it is made', (pattern) => {
    expect(() => compileRoute(pattern, undefined, undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTION' }),
    )
  })
})

describe('the path of a route', () => {
  const reverse = (pattern: string, ...values: unknown[]): string =>
    reverseRoute(compileRoute(pattern, undefined, 'it'), values)

  test('has the values in place of the groups, percent-encoded but for the slash', () => {
    expect(reverse('/user/([0-9]+)/(.*)', 7, 'a b/张?')).toBe('/user/7/a%20b/%E5%BC%A0%3F')
    expect(reverse('/(?<year>[0-9]+)$', 2026)).toBe('/2026')
    expect(reverse(String.raw`/a\.html`)).toBe('/a.html')
  })

  test.each([
    ['/x/(a)', []],
    ['/x', ['a']],
    ['/x/((a)b)', ['a', 'b']],
    ['/(?:x)/(a)', ['a']],
    [String.raw`/\d+`, []],
  ])('%s cannot be made with %j', (pattern, values) => {
    expect(() => reverse(pattern, ...values)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_MISUSE' }),
    )
  })
})
