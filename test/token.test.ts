import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Keyring } from '../src/keyring.ts'
import { CookieSigner, LONGEST_COOKIE_VALUE, TokenSource } from '../src/token.ts'

const SECRET = 'a secret of the tests, long enough to be one'
const OLDER = 'an older secret of the tests, also long enough'
const signer = new CookieSigner(new Keyring([SECRET]), '__Host-Http-sid', 'shop')
const token = new TokenSource().next()
const issued = signer.sign(token, 3)

describe('a token', () => {
  it('has 256 random bits in 43 characters and is never the same', () => {
    const source = new TokenSource()
    const tokens = Array.from({ length: 1000 }, () => source.next())
    expect(new Set(tokens).size).toBe(1000)
    for (const one of tokens) expect(one).toMatch(/^[\w-]{43}$/)
  })

  it('hashes to an id that depends on the namespace', () => {
    const other = new CookieSigner(new Keyring([SECRET]), '__Host-Http-sid', 'admin')
    expect(signer.idOf(token)).toMatch(/^[\w-]{43}$/)
    expect(signer.idOf(token)).not.toBe(other.idOf(token))
    expect(signer.idOf(token)).not.toBe(token)
  })
})

describe('a signed cookie value', () => {
  it('verifies as what was signed, and fits its limit', () => {
    expect(signer.verify(issued)).toEqual({ token, generation: 3, outdatedKey: false })
    expect(signer.sign(token, Number.MAX_SAFE_INTEGER).length).toBeLessThanOrEqual(
      LONGEST_COOKIE_VALUE,
    )
  })

  it('is refused when any one bit of it is flipped', () => {
    const bytes = Buffer.from(issued)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(signer.verify(flipped.toString('latin1'))).toBeTypeOf('string')
    }
  })

  it('is refused when any one character is replaced by any other', () => {
    const accepted: string[] = []
    for (let at = 0; at < issued.length; at++) {
      for (let code = 0; code < 256; code++) {
        const character = String.fromCharCode(code)
        if (issued[at] === character) continue
        const changed = issued.slice(0, at) + character + issued.slice(at + 1)
        if (typeof signer.verify(changed) !== 'string') accepted.push(changed)
      }
    }
    expect(accepted).toEqual([])
  })

  it('is refused when it is cut or extended', () => {
    for (let length = 0; length < issued.length; length++) {
      expect(signer.verify(issued.slice(0, length))).toBeTypeOf('string')
    }
    for (const tail of ['.', '=', ' ', 'A', '\0', issued]) {
      expect(signer.verify(issued + tail)).toBeTypeOf('string')
      expect(signer.verify(tail + issued)).toBeTypeOf('string')
    }
  })

  it('is refused under another cookie name, namespace, secret or key purpose', () => {
    const others = [
      new CookieSigner(new Keyring([SECRET]), '__Host-sid', 'shop'),
      new CookieSigner(new Keyring([SECRET]), '__Host-Http-sid', 'shop2'),
      new CookieSigner(new Keyring([SECRET]), '__Host-Http-sidshop', ''),
      new CookieSigner(new Keyring([OLDER]), '__Host-Http-sid', 'shop'),
    ]
    for (const other of others) expect(other.verify(issued)).toBeTypeOf('string')
  })

  it('is refused with parts swapped, another generation or a kid from elsewhere', () => {
    const [version, kid, text, generation, mac] = issued.split('.') as [
      string,
      string,
      string,
      string,
      string,
    ]
    for (const parts of [
      ['v2', kid, text, generation, mac],
      ['v0', kid, text, generation, mac],
      [version, kid, mac, generation, text],
      [version, kid, text, '4', mac],
      [version, kid, text, '03', mac],
      [version, kid, text, '+3', mac],
      [version, kid, text, '', mac],
      [version, '', text, generation, mac],
      [version, '__proto__', text, generation, mac],
      [version, 'toString', text, generation, mac],
      [version, kid, text, mac],
      [version, kid, text, generation, mac, mac],
    ]) {
      expect(signer.verify(parts.join('.'))).toBeTypeOf('string')
    }
  })

  it('is refused with the MAC of another session', () => {
    const other = signer.sign(new TokenSource().next(), 3)
    const stolen = issued.slice(0, -43) + other.slice(-43)
    expect(signer.verify(stolen)).toBe('bad-signature')
  })

  it('never throws and never verifies, whatever text comes', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...issued.split('.'), '.'),
    )
    const property = fc.check(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        return text === issued || typeof signer.verify(text) === 'string'
      }),
      { numRuns: 500 },
    )
    expect(property.failed).toBe(false)
  }, 60_000)
})

describe('several secrets', () => {
  it('the first signs, all verify, and one that was removed verifies nothing', () => {
    const before = new CookieSigner(new Keyring([OLDER]), 'sid', '')
    const during = new CookieSigner(new Keyring([SECRET, OLDER]), 'sid', '')
    const after = new CookieSigner(new Keyring([SECRET]), 'sid', '')
    const old = before.sign(token, 0)
    expect(during.verify(old)).toMatchObject({ token, outdatedKey: true })
    expect(during.verify(during.sign(token, 0))).toMatchObject({ outdatedKey: false })
    expect(after.verify(during.sign(token, 0))).toMatchObject({ token })
    expect(after.verify(old)).toBe('unknown-key')
  })
})
