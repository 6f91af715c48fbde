import { createHmac, createSecretKey } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Mac } from '../src/mac.ts'

const BEGINNING = '17:sojourn/cookie/v1'
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 100 })

function macUnder(key: Uint8Array, beginning = BEGINNING): Mac {
  return new Mac(createSecretKey(key), beginning, 100)
}

describe('a MAC', () => {
  it('is that of an Hmac of node:crypto, for every key and text', () => {
    const keys = fc.uint8Array({ minLength: 1, maxLength: 64 })
    fc.assert(
      fc.property(keys, fc.string({ maxLength: 40 }), ascii, (key, beginning, text) => {
        const expected = createHmac('sha256', key).update(beginning).update(text)
        expect(macUnder(key, beginning).of(text)).toBe(expected.digest('base64url'))
      }),
    )
  })

  it('of a long text leaves nothing behind for that of a shorter one', () => {
    const mac = macUnder(Buffer.alloc(32, 7))
    const short = mac.of('43:token')
    mac.of('x'.repeat(100))
    expect(mac.of('43:token')).toBe(short)
  })

  it('verifies for its own text and no other', () => {
    const mac = macUnder(Buffer.alloc(32, 7))
    const text = mac.of('43:token')
    expect(mac.verifies('43:token', text)).toBe(true)
    expect(mac.verifies('43:tokem', text)).toBe(false)
    expect(mac.verifies('43:token', mac.of(''))).toBe(false)
    expect(mac.verifies('43:token', text.slice(0, 42))).toBe(false)
    expect(macUnder(Buffer.alloc(32, 8)).verifies('43:token', text)).toBe(false)
  })
})
