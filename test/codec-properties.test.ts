import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../src/codec.ts'
import { isSessionError } from '../src/errors.ts'

// The same values in every run; leave the seed out to look for others.
fc.configureGlobal({ seed: 1 })

const key = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('~', '', 'constructor', 'toJSON'),
  )
  .filter((name) => name !== '__proto__')

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false, -0, 0, ''),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.string({ unit: 'binary' }),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
)

const { storable } = fc.letrec<{ storable: unknown }>((tie) => {
  const part = tie('storable')
  return {
    storable: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      leaf,
      fc.array(part, { maxLength: 5 }),
      fc.dictionary(key, part, { maxKeys: 5, noNullPrototype: true }),
      fc.array(fc.tuple(part, part), { maxLength: 4 }).map((list) => new Map(list)),
      fc.array(part, { maxLength: 4 }).map((list) => new Set(list)),
    ),
  }
})

/** Trees of tags, most of them wrong. */
const { tags } = fc.letrec<{ tags: unknown }>((tie) => {
  const part = tie('tags')
  const word = fc.constantFrom('-0', '12', 'AA==', '~', '__proto__', 'a')
  const tag = fc.constantFrom(
    'undefined',
    'number',
    'bigint',
    'date',
    'bytes',
    'map',
    'set',
    'object',
    'x',
  )
  return {
    tags: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.oneof(word, fc.integer(), fc.constant(null)),
      fc.array(part, { maxLength: 3 }),
      fc.dictionary(word, part, { maxKeys: 2 }),
      fc.tuple(tag, part).map((box) => ({ '~': box })),
      fc.array(fc.tuple(part, part), { maxLength: 3 }).map((list) => ({ '~': ['map', list] })),
    ),
  }
})

const PROTOTYPES: ReadonlySet<unknown> = new Set(
  [Object, Array, Date, Map, Set, Uint8Array].map((made) => made.prototype),
)

/** Every object in a value, the keys of Maps included. */
function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return
  yield value
  if (value instanceof Uint8Array) return
  const parts =
    value instanceof Map || value instanceof Set ? value.entries() : Object.values(value)
  for (const part of parts) yield* objectsIn(part)
}

/**
 * What comes of any text whatever. Sound is a value that consists of nothing but the types of the
 * list and can be stored again.
 */
function outcomeOf(text: string): 'refused' | 'sound' | 'unsound' {
  const value = refusedOr(() => decode(text), 'ERR_SESSION_CORRUPT')
  if (value === 'refused') return 'refused'
  for (const object of objectsIn(value)) {
    if (!PROTOTYPES.has(Object.getPrototypeOf(object))) return 'unsound'
  }
  return isDeepStrictEqual(decode(encode(value)), value) ? 'sound' : 'unsound'
}

function refusedOr<T>(action: () => T, code: string): T | 'refused' {
  try {
    return action()
  } catch (error) {
    if (isSessionError(error) && error.code === code) return 'refused'
    throw error
  }
}

function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasMinusZero)
  return Object.is(value, -0)
}

describe('values that were stored', () => {
  test('come back equal, from well-formed text without U+0000, and encode to the same text', () => {
    const property = fc.property(storable, (value) => {
      fc.pre(value !== undefined)
      const text = encode(value)
      const back = decode(text)
      expect(isDeepStrictEqual(back, value)).toBe(true)
      expect(encode(back)).toBe(text)
      expect(text.isWellFormed() && !text.includes('\0')).toBe(true)
    })
    fc.assert(property, { numRuns: 1000 })
  })

  test('that JSON can hold are exactly their JSON text', () => {
    const property = fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      fc.pre(!hasMinusZero(value) && !JSON.stringify(value).includes('__proto__'))
      expect(encode(value)).toBe(JSON.stringify(value))
    })
    fc.assert(property, { numRuns: 500 })
  })

  test('or were refused with a code, whatever the program gave', () => {
    const wild = fc.anything({
      withSparseArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
      withTypedArray: true,
    })
    const property = fc.property(wild, (value) => {
      const text = refusedOr(() => encode(value), 'ERR_SESSION_VALUE')
      expect(text === 'refused' || encode(decode(text)) === text).toBe(true)
    })
    fc.assert(property, { numRuns: 1000 })
  })
})

describe('text that somebody else wrote into the store gives a sound value or a refusal', () => {
  test('whatever the text is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map((json) => `~${json}`),
    )
    const property = fc.property(text, (text) => {
      expect(outcomeOf(text)).not.toBe('unsound')
    })
    fc.assert(property, { numRuns: 1000 })
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  test('made of tags', () => {
    const property = fc.property(tags, (tree) => {
      expect(outcomeOf(`~${JSON.stringify(tree)}`)).not.toBe('unsound')
    })
    fc.assert(property, { numRuns: 2000 })
  })

  test('cut off or changed in any one character', () => {
    const rich = {
      '~': 1,
      at: new Date(1e12),
      n: -12n,
      map: new Map([[{ a: 'é' }, new Set([-0])]]),
    }
    const texts = [
      encode(rich),
      encode(new Uint8Array(4)),
      '{"a":[1,{"b":"__proto_"}],"c":"x\\u0001"}',
    ]
    const outcomes = new Set<string>()
    for (const text of texts) {
      for (let at = 0; at <= text.length; at++) {
        outcomes.add(outcomeOf(text.slice(0, at)))
        for (const other of '0"\\,:[]{}~_eE-') {
          outcomes.add(outcomeOf(text.slice(0, at) + other + text.slice(at + 1)))
        }
      }
    }
    expect(outcomes).toStrictEqual(new Set(['refused', 'sound']))
  })
})
