import { describe, expect, test } from 'vitest'
import {
  createSignedValue,
  decodeSignedValue,
  getSignatureKeyVersion,
} from '../../src/tornado/signed-value.ts'
import { secretNamed, vectors } from './vectors.ts'

type Decode = (typeof vectors.decode)[number]

function decode(vector: Decode, minVersion: number): string | undefined {
  const value = decodeSignedValue(
    secretNamed(vector.secret),
    vector.name,
    vector.input ?? undefined,
    {
      maxAgeDays: vector.max_age_days,
      minVersion,
      now: () => Math.round(vector.clock * 1000),
    },
  )
  return value?.toString('base64')
}

function versionOf(input: string | null): number {
  const [, digits] = /^([1-9][0-9]*)\|/.exec(input ?? '') ?? []
  return digits === undefined || digits.length > 3 ? 1 : Number(digits)
}

// Tornado writes under a name that is not ASCII what it cannot read back itself.
const UNREADABLE = 's101'

describe('signing', () => {
  test.each(vectors.sign.filter(({ id }) => id !== UNREADABLE))(
    '$id is what Tornado writes',
    (vector) => {
      const { str, b64 } = vector.value
      const signed = createSignedValue(
        secretNamed(vector.secret),
        vector.name,
        str ?? Buffer.from(b64 ?? '', 'base64'),
        {
          version: vector.version,
          now: () => Math.round(vector.clock * 1000),
          ...(vector.key_version === null ? {} : { keyVersion: vector.key_version }),
        },
      )
      expect(signed).toBe(vector.signed)
    },
  )

  test('a name that is not ASCII is refused, because no reader would accept what is signed under it', () => {
    expect(() => createSignedValue('secret', 'naïve', 'abc')).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_MISUSE' }),
    )
  })

  test('version 2 is what is written when nothing is said', () => {
    expect(createSignedValue('secret', 'name', 'value')).toMatch(
      /^2\|1:0\|10:\d{10}\|4:name\|8:dmFsdWU=\|/,
    )
  })

  test.each([
    ['an empty secret', '', {}],
    ['an empty one among several', { 0: 'a', 1: '' }, { keyVersion: 0 }],
    ['none among several', {}, { keyVersion: 0 }],
    ['several without keyVersion', { 0: 'a' }, {}],
    ['a keyVersion that has no secret', { 0: 'a' }, { keyVersion: 3 }],
    ['several for version 1', { 0: 'a' }, { keyVersion: 0, version: 1 }],
  ] as const)('%s cannot sign', (_, secret, options) => {
    expect(() => createSignedValue(secret, 'name', 'value', options)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_SECRET' }),
    )
  })

  test('an empty secret does not read either: everybody could sign with it', () => {
    expect(() => decodeSignedValue('', 'name', '2|x')).toThrow(/secret/)
  })
})

describe('reading', () => {
  test.each(vectors.decode)('$id $group: $note', (vector) => {
    expect(decode(vector, vector.min_version)).toBe(vector.expect?.b64)
  })

  const older = vectors.decode.filter(({ input }) => versionOf(input) === 1)
  test.each(older)('$id of version 1 is nothing unless version 1 is asked for', (vector) => {
    expect(decode(vector, 2)).toBeUndefined()
    const { secret, name, input } = vector
    const value = decodeSignedValue(secretNamed(secret), name, input ?? undefined, {
      maxAgeDays: 1e6,
    })
    expect(value).toBeUndefined()
  })

  test('there are vectors of version 1 that are good when it is asked for', () => {
    expect(older.filter((vector) => vector.expect !== null).length).toBeGreaterThan(50)
  })

  test('a value ages by the limit of its reader, 31 days if nothing is said', () => {
    const at = (days: number) => () => days * 86_400_000
    const signed = createSignedValue('secret', 'name', 'value', { now: at(100) })
    expect(decodeSignedValue('secret', 'name', signed, { now: at(131) })?.toString()).toBe('value')
    expect(decodeSignedValue('secret', 'name', signed, { now: at(131.1) })).toBeUndefined()
    const long = { now: at(219), maxAgeDays: 120 }
    expect(decodeSignedValue('secret', 'name', signed, long)?.toString()).toBe('value')
  })
})

describe('the key version', () => {
  test.each(vectors.signature_key_version)('of $input is $expect', ({ input, expect: version }) => {
    expect(getSignatureKeyVersion(input)).toBe(version ?? undefined)
  })
})
