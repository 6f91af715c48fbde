import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { decode, DEFAULT_VALUE_LIMITS, encode } from '../src/codec.ts'
import { refused } from './support/refused.ts'

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

describe('the text of a value', () => {
  const cases: [title: string, value: unknown, text: string][] = [
    ['null', null, 'null'],
    ['false', false, 'false'],
    ['zero', 0, '0'],
    ['an integer', 42, '42'],
    ['the smallest safe integer', Number.MIN_SAFE_INTEGER, '-9007199254740991'],
    ['a large number', 1e308, '1e+308'],
    ['2^53 + 1, as near as a number comes', 2 ** 53 + 1, '9007199254740992'],
    ['an empty string', '', '""'],
    ['U+0000 in a string', 'a\0b', '"a\\u0000b"'],
    ['an emoji and Chinese', '会话 👩‍🚀', '"会话 👩‍🚀"'],
    ['an object', { b: 1, a: [true, null] }, '{"b":1,"a":[true,null]}'],
    ['an empty object', {}, '{}'],
    [
      'an object with names of Object.prototype',
      { toString: 1, constructor: 2 },
      '{"toString":1,"constructor":2}',
    ],
    ['a key of a tag, where there are no tags', { '~': ['date', 1] }, '{"~":["date",1]}'],
    ['minus zero', -0, '~{"~":["number","-0"]}'],
    ['a bigint', -12345678901234567890n, '~{"~":["bigint","-12345678901234567890"]}'],
    ['a Date', new Date(86_400_000), '~{"~":["date",86400000]}'],
    ['the last Date', new Date(8.64e15), '~{"~":["date",8640000000000000]}'],
    ['bytes', new Uint8Array([0, 255, 254]), '~{"~":["bytes","AP/+"]}'],
    ['no bytes', new Uint8Array(), '~{"~":["bytes",""]}'],
    [
      'undefined inside',
      { a: undefined, b: [undefined] },
      '~{"a":{"~":["undefined"]},"b":[{"~":["undefined"]}]}',
    ],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, null],
      ]),
      '~{"~":["map",[["a",1],[2,null]]]}',
    ],
    ['a Map with an object for a key', new Map([[{ a: 1 }, 2]]), '~{"~":["map",[[{"a":1},2]]]}'],
    ['a Set', new Set([2, 1, '1']), '~{"~":["set",[2,1,"1"]]}'],
    [
      'a key of a tag beside tags',
      { '~': ['date', 1], at: new Date(1) },
      '~{"~":["object",{"~":["date",1],"at":{"~":["date",1]}}]}',
    ],
  ]

  test.each(cases)('%s is stored as expected and comes back', (_, value, text) => {
    expect(encode(value)).toBe(text)
    expect(isDeepStrictEqual(decode(text), value)).toBe(true)
  })

  test('an object without a prototype comes back with the usual one', () => {
    const value: unknown = Object.assign(Object.create(null), { a: 1 })
    expect(decode(encode(value))).toStrictEqual({ a: 1 })
  })

  test('a Buffer comes back as a Uint8Array with memory of its own', () => {
    const bytes = decode(encode(Buffer.from('bytes')))
    expect(bytes).toStrictEqual(new Uint8Array(Buffer.from('bytes')))
    expect(bytes).toHaveProperty('buffer.byteLength', 5)
  })

  test('a view of a part of a buffer is stored as that part', () => {
    const part = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
    expect(decode(encode(part))).toStrictEqual(new Uint8Array([2, 3]))
  })

  test('the same object in two places is stored twice', () => {
    const shared = { a: 1 }
    const [first, second] = decode(encode([shared, shared])) as unknown[]
    expect(first).toStrictEqual(second)
    expect(first).not.toBe(second)
  })

  test('properties that are not enumerable are left out', () => {
    expect(encode(Object.defineProperty({ a: 1 }, 'hidden', { value: 2 }))).toBe('{"a":1}')
  })

  test('no toJSON is called, whoever has defined one', () => {
    const value = { a: [1, 'x'], at: new Date(5), n: 1n }
    const [plain, tagged] = [encode({ a: [1, 'x\n'] }), encode(value)]
    const prototypes = [Object.prototype, Array.prototype, BigInt.prototype]
    for (const prototype of prototypes) {
      Object.defineProperty(prototype, 'toJSON', { value: () => 'called', configurable: true })
    }
    try {
      expect([encode({ a: [1, 'x\n'] }), encode(value)]).toStrictEqual([plain, tagged])
    } finally {
      for (const prototype of prototypes) Reflect.deleteProperty(prototype, 'toJSON')
    }
  })
})

describe('limits', () => {
  const large = 'ERR_SESSION_TOO_LARGE'

  test('the defaults are 1 MiB, 128 levels and 100,000 values', () => {
    expect(DEFAULT_VALUE_LIMITS).toStrictEqual({ bytes: 1_048_576, depth: 128, nodes: 100_000 })
  })

  test('128 levels are stored and read, 129 are refused on both sides', () => {
    expect(decode(encode(nested(128)))).toStrictEqual(nested(128))
    const error = refused(() => encode({ a: nested(128) }))
    expect(error.code).toBe(large)
    expect(error.message).toMatch(/: a\[0\]\[0\].* … .*\[0\] is nested deeper than 128 levels/)
    expect(refused(() => decode(JSON.stringify(nested(129)))).code).toBe('ERR_SESSION_CORRUPT')
  })

  test('a Date, bytes and undefined are no level of their own', () => {
    const value = [[new Date(1), new Uint8Array(1), 1n, undefined]]
    expect(decode(encode(value, { depth: 2 }), { depth: 2 })).toStrictEqual(value)
  })

  test('100,000 values are stored and read, one more is refused on both sides', () => {
    const most = Array.from({ length: 99_999 }, () => 0)
    expect(decode(encode(most))).toHaveLength(99_999)
    const error = refused(() => encode({ most }))
    expect(error).toMatchObject({ code: large })
    expect(error.message).toContain('most[99998] comes after 100000 values')
    expect(refused(() => decode(JSON.stringify([most]))).code).toBe('ERR_SESSION_CORRUPT')
  })

  test('shared parts that multiply are refused before they are written', () => {
    let bomb: unknown = 'x'.repeat(100)
    for (let level = 0; level < 60; level++) bomb = [bomb, bomb]
    expect(refused(() => encode(bomb)).code).toBe(large)
  })

  test('bytes are counted in UTF-8', () => {
    const text = 'é'.repeat(10)
    expect(encode(text, { bytes: 22 })).toBe(`"${text}"`)
    const error = refused(() => encode(text, { bytes: 21 }, 'note'))
    expect(error).toMatchObject({ code: large })
    expect(error.message).toContain('with note it needs more than the 21 bytes')
  })

  test('the part that no longer fits is named', () => {
    const error = refused(() =>
      encode({ a: 'x'.repeat(60), b: new Uint8Array(60) }, { bytes: 100 }),
    )
    expect(error).toMatchObject({ code: large })
    expect(error.message).toContain('with b it needs more than the 100 bytes')
  })

  test('a bigint has at most 10,000 digits', () => {
    const most = 10n ** 10_000n - 1n
    expect(decode(encode(-most))).toBe(-most)
    expect(refused(() => encode([most + 1n])).code).toBe(large)
    expect(refused(() => encode([most, most], { bytes: 12_000 })).code).toBe(large)
  })
})
