import { createHmac, hash, randomFillSync, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Keyring } from './keyring.ts'
import type { SessionId, SessionToken } from './store.ts'

/** What a cookie value proves, once its MAC has verified. */
export interface Credential {
  readonly token: SessionToken
  readonly generation: number
  /** True if an older key of the ring had signed it: the cookie is due to be issued again. */
  readonly outdatedKey: boolean
}

/** Why a cookie value proves nothing. */
export type Refusal = 'malformed' | 'unknown-key' | 'bad-signature'

const TOKEN_BYTES = 32
const TOKEN_LENGTH = 43
const KID_LENGTH = 8
const MAC_LENGTH = 43
const LONGEST =
  `v1.${'k'.repeat(KID_LENGTH)}.${'t'.repeat(TOKEN_LENGTH)}.9007199254740991.`.length + MAC_LENGTH

/** The longest cookie value that is ever issued, in characters. */
export const LONGEST_COOKIE_VALUE: number = LONGEST

const POOL_BYTES = TOKEN_BYTES * 128

/** Fresh tokens of 256 random bits, taken from a pool of the system's generator (ASVS 5.0 7.2.3). */
export class TokenSource {
  readonly #pool = Buffer.alloc(POOL_BYTES)
  #used = POOL_BYTES

  next(): SessionToken {
    if (this.#used === this.#pool.length) this.#refill()
    const end = this.#used + TOKEN_BYTES
    const text = this.#pool.toString('base64url', this.#used, end)
    this.#pool.fill(0, this.#used, end)
    this.#used = end
    return text as SessionToken
  }

  #refill(): void {
    randomFillSync(this.#pool)
    this.#used = 0
  }
}

/** Signs and verifies the cookie values of one cookie in one namespace. */
export class CookieSigner {
  readonly #keyring: Keyring
  readonly #purpose: string
  readonly #idPurpose: string

  constructor(keyring: Keyring, cookieName: string, namespace: string) {
    this.#keyring = keyring
    this.#purpose = measured('sojourn/cookie/v1') + measured(cookieName) + measured(namespace)
    this.#idPurpose = measured('sojourn/id/v1') + measured(namespace)
  }

  /** The id of a token: SHA-256 over purpose, namespace and token. A store never learns the token. */
  idOf(token: SessionToken): SessionId {
    return hash('sha256', this.#idPurpose + measured(token), 'base64url') as SessionId
  }

  /** The cookie value `v1.<kid>.<token>.<generation>.<mac>` of a token at a generation. */
  sign(token: SessionToken, generation: number): string {
    const { kid } = this.#keyring.current
    const mac = this.#mac(this.#keyring.current.subKey('cookie'), kid, token, `${generation}`)
    return `v1.${kid}.${token}.${generation}.${mac}`
  }

  /** What a cookie value proves, or why it proves nothing. Never throws, whatever the text is. */
  verify(value: string): Credential | Refusal {
    const parts = split(value)
    if (parts === undefined) return 'malformed'
    const key = this.#keyring.find(parts.kid)
    if (key === undefined) return 'unknown-key'
    const mac = this.#mac(key.subKey('cookie'), parts.kid, parts.token, parts.generation)
    if (!sameText(mac, parts.mac)) return 'bad-signature'
    return {
      token: parts.token as SessionToken,
      generation: Number(parts.generation),
      outdatedKey: key !== this.#keyring.current,
    }
  }

  // Every field is preceded by its length: no two lists of fields have the same text.
  #mac(key: KeyObject, kid: string, token: string, generation: string): string {
    const text = this.#purpose + measured(kid) + measured(token) + measured(generation)
    return createHmac('sha256', key).update(text).digest('base64url')
  }
}

interface Parts {
  readonly kid: string
  readonly token: string
  readonly generation: string
  readonly mac: string
}

const GENERATION = /^(?:0|[1-9]\d{0,14})$/

// The parts are taken by position, and only ASCII can pass: MAC and kid are compared as text, the
// rest is covered by the MAC, so there is one spelling of a valid value and no decoder to fool.
function split(value: string): Parts | undefined {
  if (value.length > LONGEST || !value.startsWith('v1.')) return undefined
  const kidEnd = 3 + KID_LENGTH
  const tokenEnd = kidEnd + 1 + TOKEN_LENGTH
  const macStart = value.length - MAC_LENGTH
  if (macStart < tokenEnd + 3) return undefined
  if (value[kidEnd] !== '.' || value[tokenEnd] !== '.' || value[macStart - 1] !== '.')
    return undefined
  const generation = value.slice(tokenEnd + 1, macStart - 1)
  if (!GENERATION.test(generation)) return undefined
  const kid = value.slice(3, kidEnd)
  return { kid, token: value.slice(kidEnd + 1, tokenEnd), generation, mac: value.slice(macStart) }
}

function measured(text: string): string {
  return `${Buffer.byteLength(text)}:${text}`
}

function sameText(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}
