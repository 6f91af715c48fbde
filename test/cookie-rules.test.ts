import { describe, expect, test } from 'vitest'
import { checkCookieAttributes, wireName } from '../src/cookie.ts'
import { refused } from './support/refused.ts'

const cookie = {
  name: '__Host-Http-sid',
  path: '/',
  secure: true,
  sameSite: 'lax',
  partitioned: false,
} as const

describe('the name on the wire', () => {
  const names: [name: string, scope: Parameters<typeof wireName>[1], wire: string][] = [
    ['sid', { secure: true, path: '/' }, '__Host-Http-sid'],
    ['sid', { secure: true, path: '/', domain: undefined }, '__Host-Http-sid'],
    ['sid', { secure: true, path: '/shop' }, '__Secure-sid'],
    ['sid', { secure: true, path: '/', domain: 'example.com' }, '__Secure-sid'],
    ['sid', { secure: false, path: '/' }, 'sid'],
    ['__Host-sid', { secure: true, path: '/' }, '__Host-sid'],
    ['__Secure-sid', { secure: true, path: '/' }, '__Secure-sid'],
    ['__Http-sid', { secure: true, path: '/' }, '__Http-sid'],
    ['__host-http-sid', { secure: true, path: '/shop' }, '__host-http-sid'],
  ]

  test.each(names)('%s with %o is %s', (name, scope, wire) => {
    expect(wireName(name, scope)).toBe(wire)
  })
})

describe('attributes', () => {
  const good: [title: string, changes: object][] = [
    ['the default', {}],
    ['a bare name', { name: 'sid' }],
    ['every character of a token', { name: "!#$%&'*+-.^_`|~09AZaz" }],
    ['SameSite=None', { sameSite: 'none' }],
    ['Partitioned', { partitioned: true, sameSite: 'none' }],
    ['a domain', { name: '__Secure-sid', domain: 'shop-1.example.com' }],
    ['a domain of one label', { name: 'sid', domain: 'localhost' }],
    ['a domain in Punycode', { name: 'sid', domain: 'xn--bcher-kva.example' }],
    ['a path', { name: '__Http-sid', path: '/a%20b/c' }],
    ['the longest name', { name: 'n'.repeat(4096 - 100) }],
    ['the longest path', { name: 'sid', path: `/${'p'.repeat(1023)}` }],
  ]

  test.each(good)('are accepted: %s', (_, changes) => {
    expect(checkCookieAttributes({ ...cookie, ...changes }, 100)).toBeUndefined()
  })

  const bad: [title: string, changes: object, message: string][] = [
    ...[
      '',
      'a b',
      'a;b',
      'a=b',
      'a,b',
      'a\r\nb',
      'a\0',
      'é',
      '"a"',
      '(a)',
      'a/b',
      'a@b',
      '[a]',
    ].map((name): [string, object, string] => [
      `the name ${JSON.stringify(name)}`,
      { name },
      'cookie.name must be',
    ]),
    ...[
      '',
      '.example.com',
      'example.com.',
      'a..b',
      'a_b.test',
      '-a.test',
      'a-.test',
      'a b',
      'a;b',
      'a\r\nb',
      'bücher.example',
      `${'a'.repeat(64)}.test`,
      'a.'.repeat(130) + 'test',
      'example.com:80',
      '*.example.com',
      '[::1]',
    ].map((domain): [string, object, string] => [
      `the domain ${domain}`,
      { name: 'sid', domain },
      'cookie.domain must be a host name',
    ]),
    [
      'an IP address',
      { name: 'sid', domain: '127.0.0.1' },
      'cookie.domain must not be an IP address',
    ],
    ...['', 'a', 'a/b', '/a b', '/a;b', '/a,b', '/a\r\nb', '/\0', '/é', '/\x7f', '/ '].map(
      (path): [string, object, string] => [
        `the path ${JSON.stringify(path)}`,
        { name: 'sid', path },
        "cookie.path must begin with '/'",
      ],
    ),
    [
      'a path that browsers ignore',
      { name: 'sid', path: `/${'p'.repeat(1024)}` },
      'cookie.path has more than 1024',
    ],
    ['an unknown SameSite', { sameSite: 'Lax; Domain=evil.test' }, 'cookie.sameSite must be'],
    [
      'SameSite=None without Secure',
      { name: 'sid', secure: false, sameSite: 'none' },
      "cookie.sameSite 'none' needs a secure cookie",
    ],
    [
      'Partitioned without Secure',
      { name: 'sid', secure: false, partitioned: true },
      'cookie.partitioned needs a secure cookie',
    ],
    [
      'a name that is too long',
      { name: 'n'.repeat(4096 - 99) },
      'cookie.name is too long: it may have 3996',
    ],
    ['__Host-Http- without Secure', { secure: false }, "name begins with '__Host-Http-'"],
    ['__Host- without Secure', { name: '__Host-sid', secure: false }, 'needs a secure cookie'],
    ['__Http- without Secure', { name: '__Http-sid', secure: false }, 'needs a secure cookie'],
    ['__Secure- without Secure', { name: '__Secure-sid', secure: false }, 'needs a secure cookie'],
    [
      'a prefix in other letters',
      { name: '__SECURE-sid', secure: false },
      "name begins with '__SECURE-'",
    ],
    ['__Host-Http- with a domain', { domain: 'example.com' }, "name the cookie '__Secure-sid'"],
    ['__Host-Http- with a path', { path: '/shop' }, "unless cookie.path is '/'"],
    [
      '__Host- with a domain',
      { name: '__Host-sid', domain: 'example.com' },
      'drop it with cookie.domain',
    ],
    ['__host- with a path', { name: '__host-sid', path: '/shop' }, "unless cookie.path is '/'"],
  ]

  test.each(bad)('are refused: %s', (_, changes, message) => {
    const error = refused(() => checkCookieAttributes({ ...cookie, ...changes }, 100))
    expect(error.code).toBe('ERR_SESSION_OPTION')
    expect(error.message).toContain(message)
  })
})
