import { hash, randomFillSync } from 'node:crypto'
import type { Key, Keyring } from './keyring.ts'
import { Mac } from './mac.ts'
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
  readonly #macs = new Map<Key, Mac>()

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
    const { current } = this.#keyring
    const mac = this.#mac(current).of(signed(token, `${generation}`))
    return `v1.${current.kid}.${token}.${generation}.${mac}`
  }

  /** What a cookie value proves, or why it proves nothing. Never throws, whatever the text is. */
  verify(value: string): Credential | Refusal {
    const [, kid = '', token = '', generation = '', mac = ''] = VALUE.exec(value) ?? []
    if (kid === '') return 'malformed'
    const key = this.#keyring.find(kid)
    if (key === undefined) return 'unknown-key'
    if (!this.#mac(key).verifies(signed(token, generation), mac)) return 'bad-signature'
    return {
      token: token as SessionToken,
      generation: Number(generation),
      outdatedKey: key !== this.#keyring.current,
    }
  }

  #mac(key: Key): Mac {
    return this.#macs.get(key) ?? this.#newMac(key)
  }

  #newMac(key: Key): Mac {
    const mac = new Mac(key.subKey('cookie'), this.#purpose + measured(key.kid), LONGEST)
    this.#macs.set(key, mac)
    return mac
  }
}

// Only ASCII can pass, and one spelling of each value: there is no decoder to fool.
const VALUE = /^v1\.([\w-]{8})\.([\w-]{43})\.(0|[1-9]\d{0,14})\.([\w-]{43})$/

// Every field is preceded by its length: no two lists of fields have the same text.
function signed(token: string, generation: string): string {
  return `${TOKEN_LENGTH}:${token}${generation.length}:${generation}`
}

function measured(text: string): string {
  return `${Buffer.byteLength(text)}:${text}`
}
