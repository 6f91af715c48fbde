import { describe, expect, test } from 'vitest'
import { CredentialReader } from '../src/credentials.ts'
import { SessionEvents } from '../src/events.ts'
import { Keyring } from '../src/keyring.ts'
import { RecentCookies } from '../src/recent-cookies.ts'
import type { Presented } from '../src/recent-cookies.ts'
import { CookieSigner, TokenSource } from '../src/token.ts'

const NAME = '__Host-Http-sid'
const tokens = new TokenSource()

/** Counts what had to be verified. */
class CountingSigner extends CookieSigner {
  verified = 0

  override verify(value: string): ReturnType<CookieSigner['verify']> {
    this.verified++
    return super.verify(value)
  }
}

function stage() {
  const signer = new CountingSigner(
    new Keyring(['a secret of at least 32 characters, ok']),
    NAME,
    '',
  )
  const reader = new CredentialReader(signer, NAME, new SessionEvents(undefined, Date.now))
  return { signer, reader }
}

describe('a genuine cookie that comes again', () => {
  test('is not verified again, and proves the same', () => {
    const { signer, reader } = stage()
    const token = tokens.next()
    const header = `a=1; ${NAME}=${signer.sign(token, 3)}`
    const first = reader.read(header)
    expect(first).toEqual({ token, generation: 3, outdatedKey: false, id: signer.idOf(token) })
    for (let visit = 0; visit < 5; visit++) expect(reader.read(header)).toEqual(first)
    expect(signer.verified).toBe(1)
  })

  test('lends nothing to one that differs in a single character, in whatever alphabet', () => {
    const { signer, reader } = stage()
    const value = signer.sign(tokens.next(), 0)
    expect(reader.read(`${NAME}=${value}`)).toBeDefined()
    for (const place of Array.from(value).keys()) {
      for (const other of [
        value[place] === 'A' ? 'B' : 'A',
        String.fromCodePoint(0x100 + value.charCodeAt(place)),
      ]) {
        const forged = value.slice(0, place) + other + value.slice(place + 1)
        expect(reader.read(`${NAME}=${forged}`)).toBeUndefined()
      }
    }
  })

  test('is trusted by none but the manager whose keys have verified it', () => {
    const { signer, reader } = stage()
    const header = `${NAME}=${signer.sign(tokens.next(), 0)}`
    expect(reader.read(header)).toBeDefined()
    const other = new CookieSigner(
      new Keyring(['another secret of at least 32 characters']),
      NAME,
      '',
    )
    const stranger = new CredentialReader(other, NAME, new SessionEvents(undefined, Date.now))
    expect(stranger.read(header)).toBeUndefined()
  })
})

describe('what is remembered', () => {
  const presented = (generation: number) => ({ generation }) as Presented

  test('has a bound: what has not come for long is forgotten', () => {
    const recent = new RecentCookies(10)
    for (let number = 0; number < 100; number++) recent.keep(`${number}`, presented(number))
    const kept = Array.from({ length: 100 }, (_, number) => recent.find(`${number}`))
    expect(kept.filter((one) => one !== undefined).length).toBeLessThanOrEqual(20)
    expect(recent.find('99')?.generation).toBe(99)
    expect(recent.find('0')).toBeUndefined()
  })

  test('stays while it keeps coming', () => {
    const recent = new RecentCookies(10)
    recent.keep('regular', presented(7))
    for (let number = 0; number < 100; number++) {
      recent.keep(`${number}`, presented(number))
      expect(recent.find('regular')?.generation).toBe(7)
    }
  })
})
