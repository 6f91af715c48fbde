import { parseCookie } from 'cookie'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCookie, serializeCookie } from '../src/cookie.ts'

// The same values in every run; leave the seed out to look for others.
fc.configureGlobal({ seed: 1, numRuns: 1000 })

const token = fc.string({
  unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09AZaz".split('')),
  minLength: 1,
  maxLength: 12,
})
const octets = fc.string({
  unit: fc.constantFrom(..."!#$%&'()*+-./:<=>?@[]^_`{|}~059AZaz".split('')),
  maxLength: 20,
})
const blanks = fc.constantFrom('', ' ', '\t', ' \t ', '\u00a0', '\u0085', '\ufeff', '\v')
const text = fc.string({ unit: 'binary', maxLength: 12 })

/** Pieces of headers that come near to a cookie called sid. */
const piece = fc.oneof(
  text,
  blanks,
  fc.constantFrom(
    'sid',
    'sid=',
    '=',
    ';',
    '; ',
    ',',
    '"',
    '\\',
    '%73id',
    'SID',
    '__proto__',
    'xsid',
    'sid2',
  ),
)
const header = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))

/** What the reader has to find, in other words. */
function expected(header: string): string[] {
  const pairs = header.split(';').map((pair) => {
    const [name = '', ...rest] = pair.split('=')
    return { name: trimmed(name), value: rest.length === 0 ? undefined : trimmed(rest.join('=')) }
  })
  return pairs.flatMap(({ name, value }) => (name === 'sid' && value !== undefined ? [value] : []))
}

function trimmed(text: string): string {
  return text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
}

/** Counts the characters that are looked at. It can do no more than the reader needs. */
class CountingText {
  looked = 0
  readonly length: number
  readonly #text: string

  constructor(text: string) {
    this.#text = text
    this.length = text.length
  }

  indexOf(searched: string, from: number): number {
    const found = this.#text.indexOf(searched, from)
    this.looked += (found === -1 ? this.length : found) - from + 1
    return found
  }

  startsWith(searched: string, from: number): boolean {
    this.looked += searched.length
    return this.#text.startsWith(searched, from)
  }

  charCodeAt(index: number): number {
    this.looked++
    return this.#text.charCodeAt(index)
  }

  slice(start: number, end: number): string {
    this.looked += end - start
    return this.#text.slice(start, end)
  }
}

describe('the cookie reader', () => {
  test('finds what a cookie says whatever stands beside it, in the order of the header', () => {
    const values = fc.array(octets, { maxLength: 4 })
    const others = fc.array(
      text
        .map((text) => text.replaceAll(';', ''))
        .filter((text) => trimmed(text.split('=')[0] ?? '') !== 'sid'),
    )
    const property = fc.property(
      values,
      others,
      fc.infiniteStream(fc.boolean()),
      (values, others, coins) => {
        const pairs: string[] = []
        const [ours, theirs] = [values.map((value) => `sid=${value}`), [...others]]
        while (ours.length + theirs.length > 0) {
          const next = coins.next().value
            ? (ours.shift() ?? theirs.shift())
            : (theirs.shift() ?? ours.shift())
          pairs.push(next ?? '')
        }
        expect(readCookie(pairs.join('; '), 'sid')).toStrictEqual(values)
      },
    )
    fc.assert(property)
  })

  test('reads back what was written', () => {
    const property = fc.property(token, octets, (name, value) => {
      const line = serializeCookie({
        name: `a${name}`,
        value,
        path: '/',
        secure: true,
        sameSite: 'lax',
        partitioned: false,
      })
      expect(readCookie(line.slice(0, line.indexOf(';')), `a${name}`)).toStrictEqual([value])
    })
    fc.assert(property)
  })

  test('agrees with the package cookie wherever the RFC is kept', () => {
    const pairs = fc.array(fc.tuple(token, octets), { maxLength: 8 })
    const property = fc.property(pairs, token, (pairs, other) => {
      const header = pairs.map(([name, value]) => `${name}=${value}`).join('; ')
      const parsed = parseCookie(header, { decode: (value) => value })
      for (const name of [...pairs.map(([name]) => name), other]) {
        expect(readCookie(header, name)[0]).toBe(parsed[name])
      }
    })
    fc.assert(property)
  })

  test('finds nothing under a name that is not the same in every byte', () => {
    const property = fc.property(header, (header) => {
      expect(readCookie(header, 'sid', Infinity)).toStrictEqual(expected(header))
      expect(readCookie(header, 'sid')).toStrictEqual(expected(header).slice(0, 4))
    })
    fc.assert(property)
  })
})

describe('the work to read a header', () => {
  const length = 16_384
  const fills: [title: string, unit: string][] = [
    ['semicolons', ';'],
    ['equals signs', '='],
    ['blanks', ' '],
    ['tabs before semicolons', '\t;'],
    ['beginnings of the name', 'si;'],
    ['the name without an equals sign', 'sid;'],
    ['the name and blanks', 'sid '],
    ['quotes', '"'],
    ['backslashes', '\\"'],
    ['other cookies', 'a=b; '],
    ['one long value', 'x'],
  ]

  test.each(fills)('grows with its length: %s', (_, unit) => {
    const long = unit.repeat(length / unit.length)
    const header = new CountingText(long)
    expect(readCookie(header as unknown as string, 'sid')).toStrictEqual(readCookie(long, 'sid'))
    expect(header.looked).toBeLessThan(8 * length)
  })
})
