import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parseRequestCookies,
  quoteCookieValue,
  unquoteCookieValue,
} from '../../src/tornado/cookies.ts'
import {
  createSignedValue,
  decodeSignedValue,
  getSignatureKeyVersion,
} from '../../src/tornado/signed-value.ts'
import { decodeXsrfToken, encodeXsrfToken } from '../../src/tornado/xsrf.ts'

const SECRET = 'a secret'
const signed = createSignedValue(SECRET, 'name', 'value', { now: () => 1_700_000_000_000 })
const now = () => 1_700_000_000_000

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom('2', '|', ':', '1', '0', '-', '_', ' ', 'A', '=', '"', '\\') }),
)

test('every value comes back from its signature, under its name only', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '|', ':', '_', '1'), minLength: 1 })
  fc.assert(
    fc.property(
      name,
      fc.uint8Array(),
      fc.integer({ min: 0, max: 9999 }),
      (name, value, keyVersion) => {
        const secrets = { [keyVersion]: SECRET }
        const made = createSignedValue(secrets, name, value, { keyVersion, now })
        const read = decodeSignedValue(secrets, name, made, { now })
        expect(read).toEqual(Buffer.from(value))
        expect(getSignatureKeyVersion(made)).toBe(keyVersion)
        expect(decodeSignedValue(secrets, `${name}x`, made, { now })).toBeUndefined()
        expect(decodeSignedValue({ [keyVersion]: 'another' }, name, made, { now })).toBeUndefined()
      },
    ),
  )
})

test('whatever text it is, it is not a value and not an error', () => {
  fc.assert(
    fc.property(text, fc.constantFrom(1, 2), (input, minVersion) => {
      for (const secret of [SECRET, { 0: SECRET }]) {
        expect(decodeSignedValue(secret, 'name', input, { minVersion })).toBeUndefined()
      }
      getSignatureKeyVersion(input)
    }),
  )
})

test('no change of a signed text is accepted', () => {
  const at = fc.integer({ min: 0, max: signed.length })
  fc.assert(
    fc.property(at, fc.integer({ min: 0, max: 3 }), text, (start, length, other) => {
      const changed = signed.slice(0, start) + other + signed.slice(start + length)
      fc.pre(changed !== signed)
      expect(decodeSignedValue(SECRET, 'name', changed, { now })).toBeUndefined()
    }),
  )
})

test('a cookie value comes back from its quotes, in the header of a request too', () => {
  const value = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  })
  fc.assert(
    fc.property(value, (value) => {
      const wire = quoteCookieValue(value)
      expect(unquoteCookieValue(wire)).toBe(value)
      expect(parseRequestCookies(`x=1; a=${wire}; y=2`).get('a')).toBe(value)
    }),
  )
})

test('whatever a Cookie header holds, it is read', () => {
  fc.assert(
    fc.property(text, (header) => {
      for (const name of parseRequestCookies(header).keys()) expect(name).toMatch(/^[!-~]+$/)
    }),
  )
})

test('an xsrf token comes back from under every mask', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  fc.assert(
    fc.property(bytes(16), bytes(4), (token, mask) => {
      const sent = encodeXsrfToken(Buffer.from(token), Buffer.from(mask), 1)
      expect(decodeXsrfToken(sent)?.token).toEqual(Buffer.from(token))
    }),
  )
  fc.assert(fc.property(text, (sent) => void decodeXsrfToken(sent)))
})
