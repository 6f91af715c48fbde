import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { SessionError } from '../../errors.ts'
import type { Key, Keyring } from '../../keyring.ts'
import type { SessionId } from '../../store.ts'

const ALGORITHM = 'aes-256-gcm'
const VERSION = 'e1'
const NONCE = 12
/** Node accepts tags of 4 bytes unless it is told how long they are. */
const TAG = 16
const KEPT_KEYS = 1000

/**
 * Encrypts single values of sessions, as `e1.<kid>.<nonce, ciphertext and tag in base64url>`.
 *
 * AES-256-GCM with a key for each record, derived by HKDF from a key of the ring and the id: random
 * nonces of 96 bits are good for 2^32 values under one key (NIST SP 800-38D, 8.3), so for each record.
 * The version, the key, the id and the name are authenticated too: a value put under another name or
 * into another record does not decrypt.
 */
export class Seal {
  readonly #keyring: Keyring
  /** Deriving a key costs more than using it: the last ones are kept. */
  readonly #recordKeys = new Map<string, Buffer>()

  constructor(keyring: Keyring) {
    this.#keyring = keyring
  }

  encrypt(id: SessionId, name: string, text: string): string {
    const key = this.#keyring.current
    const nonce = randomBytes(NONCE)
    const options = { authTagLength: TAG }
    const cipher = createCipheriv(ALGORITHM, this.#recordKey(key, id), nonce, options)
    cipher.setAAD(contextOf(key.kid, id, name))
    const pieces = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return `${VERSION}.${key.kid}.${Buffer.concat(pieces).toString('base64url')}`
  }

  /**
   * @throws SessionError `ERR_SESSION_CORRUPT` for anything that was not encrypted for this place with
   * a key of the ring, plain text above all; `ERR_SESSION_VERSION` for what a newer version encrypted
   */
  decrypt(id: SessionId, name: string, sealed: string): string {
    const { kid, bytes } = read(sealed)
    const key = this.#keyring.find(kid)
    if (key === undefined) throw unreadable(`by the key ${kid}, which is not among \`keys\``)
    const recordKey = this.#recordKey(key, id)
    const nonce = bytes.subarray(0, NONCE)
    const decipher = createDecipheriv(ALGORITHM, recordKey, nonce, { authTagLength: TAG })
    try {
      decipher.setAAD(contextOf(kid, id, name))
      decipher.setAuthTag(bytes.subarray(-TAG))
      const text = decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8')
      return text + decipher.final('utf8')
    } catch (cause) {
      throw unreadable('for this place with this key, or was changed since', cause)
    }
  }

  #recordKey(key: Key, id: SessionId): Buffer {
    const name = `${key.kid}.${id}`
    const known = this.#recordKeys.get(name)
    if (known !== undefined) return known
    const derived = hkdfSync('sha256', key.subKey('encryption'), id, 'sojourn/record/v1', 32)
    const recordKey = Buffer.from(derived)
    if (this.#recordKeys.size >= KEPT_KEYS) this.#forgetOldest()
    this.#recordKeys.set(name, recordKey)
    return recordKey
  }

  #forgetOldest(): void {
    for (const name of this.#recordKeys.keys()) {
      this.#recordKeys.delete(name)
      return
    }
  }
}

function read(sealed: string): { readonly kid: string; readonly bytes: Buffer } {
  const [, kid, text] = /^e1\.([\w-]{8})\.([\w-]+)$/.exec(sealed) ?? []
  if (kid !== undefined && text !== undefined) {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.length >= NONCE + TAG) return { kid, bytes }
  }
  if (/^e[2-9]\./.test(sealed)) throw newer()
  throw unreadable('at all')
}

/** The parts with their lengths before them, so that no two places have the same bytes. */
function contextOf(...parts: readonly string[]): Buffer {
  const bytes = [VERSION, ...parts].map((part) => Buffer.from(part))
  return Buffer.concat(bytes.flatMap((part) => [lengthOf(part), part]))
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return length
}

function unreadable(how: string, cause?: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_CORRUPT',
    `A value of the session was not encrypted ${how}. It is kept as it is; give the key with which it was written.`,
    { cause },
  )
}

function newer(): SessionError {
  return new SessionError(
    'ERR_SESSION_VERSION',
    'A value of the session was encrypted by a newer version of sojourn. Update this process too; it is kept as it is.',
  )
}
