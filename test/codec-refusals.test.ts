import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { encode } from '../src/codec.ts'
import { refused } from './support/refused.ts'

describe('a value that cannot be stored is refused with its path and a reason', () => {
  class Cart {
    readonly items: readonly string[] = []
  }
  class Dates extends Date {}
  const cycle: Record<string, unknown> = { name: 'a' }
  cycle['child'] = { parent: cycle }
  const wide: unknown[] = Array.from({ length: 60_000 }, () => 0)
  wide.push(wide)
  // eslint-disable-next-line no-sparse-arrays
  const holes = [1, , 3]
  const cases: [title: string, value: unknown, path: string, reason: string][] = [
    ['undefined itself', undefined, 'the value itself', 'is undefined. Use delete'],
    [
      'a function',
      { cart: { items: [0, 0, 0, { price: () => 1 }] } },
      'cart.items[3].price',
      'is a function',
    ],
    ['a symbol', [Symbol('s')], '[0]', 'is a symbol'],
    ['a symbol for a key', { a: { [Symbol('s')]: 1 } }, 'a', 'has a symbol for a key'],
    ['NaN', { n: Number.NaN }, 'n', 'is NaN'],
    ['Infinity', [-Infinity], '[0]', 'is -Infinity'],
    ['half of a surrogate pair', { text: '\ud800' }, 'text', 'half of a surrogate pair'],
    [
      'a key with half of a surrogate pair',
      { 'a\udc00': 1 },
      '["a\\udc00"]',
      'half of a surrogate pair',
    ],
    ['a key __proto__', JSON.parse('{"a":{"__proto__":1}}'), 'a.__proto__', 'change a prototype'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'at', 'is an invalid Date'],
    ['a class instance', { cart: new Cart() }, 'cart', 'is an instance of class Cart'],
    ['an instance of a subclass', new Dates(), 'the value itself', 'is an instance of class Dates'],
    ['an Error', new TypeError('x'), 'the value itself', 'is an instance of class TypeError'],
    ['a RegExp', [/x/], '[0]', 'is an instance of class RegExp. Store its source'],
    ['a Promise', [Promise.resolve()], '[0]', 'is an instance of class Promise. Await it'],
    ['a WeakMap', [new WeakMap()], '[0]', 'is an instance of class WeakMap'],
    [
      'a boxed number',
      [Object(1)],
      '[0]',
      'is an instance of class Number. Store the number itself',
    ],
    [
      'another typed array',
      [new Float64Array(1)],
      '[0]',
      'is an instance of class Float64Array. Store its bytes',
    ],
    ['an ArrayBuffer', new ArrayBuffer(1), 'the value itself', 'class ArrayBuffer. Wrap it'],
    [
      'an object of another realm',
      runInNewContext('({})'),
      'the value itself',
      'comes from another realm',
    ],
    [
      'an object that inherits',
      Object.create({ a: 1 }),
      'the value itself',
      'inherits from another object',
    ],
    [
      'a pretended Date',
      Object.create(Date.prototype),
      'the value itself',
      'is an instance of class Date',
    ],
    [
      'a getter',
      {
        get total() {
          return 1
        },
      },
      'total',
      'is a getter',
    ],
    [
      'a getter that throws',
      {
        get total() {
          throw new Error('x')
        },
      },
      'total',
      'is a getter',
    ],
    ['a Proxy', { it: new Proxy({}, {}) }, 'it', 'is a Proxy'],
    ['a hole', { list: holes }, 'list[1]', 'is a hole'],
    [
      'an array with a name',
      { found: 'ab'.match(/b/) },
      'found',
      'is an array with named properties',
    ],
    [
      'a Map with a property',
      Object.assign(new Map(), { a: 1 }),
      'the value itself',
      'besides its content',
    ],
    [
      'the arguments of a function',
      (function () {
        return arguments
      })(),
      'the value itself',
      'has a symbol for a key',
    ],
    [
      'a key of a Map',
      {
        seen: new Map<unknown, unknown>([
          [1, 1],
          [() => 1, 1],
        ]),
      },
      'seen.keys()[1]',
      'is a function',
    ],
    ['a value of a Map', new Map([['secret', Symbol('s')]]), 'values()[0]', 'is a symbol'],
    [
      'an element of a Set',
      { tags: new Set(['a', [Number.NaN]]) },
      'tags.values()[1][0]',
      'is NaN',
    ],
    ['a cycle', { tree: cycle }, 'tree.child.parent', 'is a cycle: it leads back to tree.'],
    [
      'a cycle behind many values',
      wide,
      '[60000]',
      'is a cycle: it leads back to the value itself',
    ],
  ]

  test.each(cases)('%s', (_, value, path, reason) => {
    const error = refused(() => encode(value))
    expect(error.code).toBe('ERR_SESSION_VALUE')
    expect(error.message).toContain(`: ${path} `)
    expect(error.message).toContain(reason)
    expect(error.message).not.toContain('secret')
  })

  test('a path begins with the name of the value, if it is given', () => {
    const error = refused(() => encode({ items: [() => 1] }, {}, 'cart'))
    expect(error.message).toContain(': cart.items[0] is a function.')
  })

  test('a name that is no identifier is quoted, and a long one is shortened', () => {
    const error = refused(() => encode({ 'a b': { ['x'.repeat(1000)]: () => 1 } }))
    expect(error.message).toContain(`: ["a b"].${'x'.repeat(40)}… is a function`)
  })

  test('an array element that throws when it is read is refused as a value', () => {
    const array = [1]
    Object.defineProperty(array, 0, {
      enumerable: true,
      get: () => {
        throw new Error('broken')
      },
    })
    const error = refused(() => encode(array))
    expect(error).toMatchObject({ code: 'ERR_SESSION_VALUE', cause: { message: 'broken' } })
  })
})
