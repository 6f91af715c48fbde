import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSessionError } from '../src/errors.ts'
import { packRecord, packedExpiry, unpackRecord } from '../src/record.ts'
import type { SessionRecord } from '../src/store.ts'

const wellFormed = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))
const name = fc.oneof(wellFormed, fc.constantFrom('', '__proto__', 'constructor', 'toString'))
const time = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.maxSafeNat())

const records: fc.Arbitrary<SessionRecord> = fc
  .record(
    {
      createdAt: time,
      expiresAt: time,
      deadline: time,
      generation: fc.nat(),
      renewedAt: time,
      fence: fc.nat(),
      user: fc.string(),
      authenticatedAt: time,
      rememberFor: time,
      client: fc.record({ userAgent: wellFormed, address: wellFormed }, { requiredKeys: [] }),
      values: fc.array(fc.tuple(name, wellFormed)).map((entries) => new Map(entries)),
    },
    {
      requiredKeys: [
        'createdAt',
        'expiresAt',
        'deadline',
        'generation',
        'renewedAt',
        'fence',
        'values',
      ],
    },
  )
  .map((record) => ({ ...record }))

const sample: SessionRecord = {
  createdAt: 1_700_000_000_000,
  expiresAt: 1_700_000_360_000,
  deadline: 1_700_008_640_000,
  generation: 2,
  renewedAt: 1_700_000_000_001,
  fence: 1,
  user: 'アリス',
  authenticatedAt: 1_700_000_000_002,
  client: { userAgent: 'agent/1.0 😀', address: '2001:db8::1' },
  values: new Map([
    ['login', '"alice"'],
    ['', '0'],
    ['long', 'x'.repeat(300)],
    ['__proto__', '{"polluted":true}'],
  ]),
}

function readable(
  bytes: Uint8Array,
): SessionRecord | 'ERR_SESSION_CORRUPT' | 'ERR_SESSION_VERSION' {
  try {
    return unpackRecord(bytes)
  } catch (error) {
    if (!isSessionError(error)) throw error
    if (error.code === 'ERR_SESSION_CORRUPT' || error.code === 'ERR_SESSION_VERSION')
      return error.code
    throw error
  }
}

function resealed(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes)
  copy.writeUInt32LE(crc32(copy.subarray(6)), 2)
  return copy
}

function isWholeOrCorrupt(read: ReturnType<typeof readable>): boolean {
  if (typeof read === 'string') return read === 'ERR_SESSION_CORRUPT'
  return [...read.values].flat().every((text) => typeof text === 'string')
}

describe('a record as bytes', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(unpackRecord(packRecord(record))).toEqual(record)
      }),
    )
  })

  test('an absent field stays absent', () => {
    const { user: _, authenticatedAt: __, client: ___, ...anonymous } = sample
    expect(Object.keys(unpackRecord(packRecord(anonymous))).toSorted()).toEqual(
      Object.keys(anonymous).toSorted(),
    )
    expect(unpackRecord(packRecord({ ...anonymous, client: {} })).client).toEqual({})
  })

  test('shares nothing with the bytes', () => {
    const bytes = packRecord(sample)
    const record = unpackRecord(bytes)
    bytes.fill(0)
    expect(record).toEqual(sample)
  })

  test('is read from any position of a larger buffer', () => {
    const bytes = packRecord(sample)
    const larger = new Uint8Array(bytes.length + 7)
    larger.set(bytes, 5)
    expect(unpackRecord(larger.subarray(5, 5 + bytes.length))).toEqual(sample)
  })

  test('takes little more than its texts', () => {
    const texts = [
      sample.user,
      sample.client?.userAgent,
      sample.client?.address,
      ...sample.values,
    ].flat()
    const size = Buffer.byteLength(texts.join(''))
    expect(packRecord(sample).length - size).toBeLessThan(90)
  })

  test('values of many lengths and a megabyte come back', () => {
    const lengths = [0, 1, 127, 128, 16_383, 16_384, 1_048_576]
    const values = new Map(lengths.map((length) => [`n${length}`, '語'.repeat(length)]))
    expect(unpackRecord(packRecord({ ...sample, values })).values).toEqual(values)
  })

  test('tells its expiry without being read', () => {
    expect(packedExpiry(packRecord(sample))).toBe(sample.expiresAt)
    expect(() => packedExpiry(new Uint8Array(10))).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_CORRUPT' }),
    )
  })
})

describe('damage', () => {
  test('a record that was cut off anywhere is corrupt', () => {
    const bytes = packRecord(sample)
    for (let length = 0; length < bytes.length; length++) {
      expect(readable(bytes.subarray(0, length))).toBe('ERR_SESSION_CORRUPT')
    }
  })

  test('a record with bytes behind it is corrupt', () => {
    expect(readable(Buffer.concat([packRecord(sample), Buffer.from('x')]))).toBe(
      'ERR_SESSION_CORRUPT',
    )
  })

  test('no flipped bit goes unnoticed', () => {
    const bytes = packRecord(sample)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(readable(damaged)).toMatch(/^ERR_SESSION_(CORRUPT|VERSION)$/)
    }
  })

  test('arbitrary bytes are corrupt or of a newer version, and nothing else is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(readable(bytes)).toMatch(/^ERR_SESSION_(CORRUPT|VERSION)$/)
      }),
    )
  })

  test('bytes with a checksum that fits are a whole record or corrupt, and nothing else is thrown', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(records, edits, fc.nat(), (record, changes, cut) => {
        const bytes = Buffer.from(packRecord(record))
        for (const [at, byte] of changes) bytes[6 + (at % (bytes.length - 6))] = byte
        expect(isWholeOrCorrupt(readable(resealed(bytes)))).toBe(true)
        const shorter = resealed(bytes.subarray(0, 6 + (cut % (bytes.length - 6))))
        expect(isWholeOrCorrupt(readable(shorter))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('no prototype is changed by the names in a record', () => {
    const values = unpackRecord(packRecord(sample)).values
    expect(values.get('__proto__')).toBe('{"polluted":true}')
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted')
    expect(Object.getPrototypeOf(unpackRecord(packRecord(sample)))).toBe(Object.prototype)
  })

  test('a record of a newer version is named as such', () => {
    const bytes = Buffer.from(packRecord(sample))
    bytes[1] = 2
    expect(readable(bytes)).toBe('ERR_SESSION_VERSION')
    expect(() => packedExpiry(bytes)).toThrow(/format 2/)
  })

  test('the message shows nothing of the record', () => {
    const bytes = packRecord(sample)
    expect(() => unpackRecord(bytes.subarray(0, -1))).toThrow(/^(?!.*alice).*$/)
  })
})
