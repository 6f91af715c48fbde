import { createHmac, timingSafeEqual } from 'node:crypto'
import { SessionError } from '../errors.ts'
import { pythonBase64, pythonInt } from './python-text.ts'

/** One secret for signed values: text (its UTF-8 bytes) or bytes. */
export type SigningSecret = string | Uint8Array

/** Secrets by key version, as Tornado's `cookie_secret` may be. The value names the one it was signed with. */
export type VersionedSecrets = Readonly<Record<number, SigningSecret>>

/** How a value is signed. */
export interface SignOptions {
  /**
   * Version 1 is for tests and old readers: SHA-1, and its parts can be moved into each other.
   * @default 2
   */
  readonly version?: 1 | 2
  /** Which of several secrets signs; required with `VersionedSecrets`. */
  readonly keyVersion?: number
  /** The clock, in ms since the epoch. */
  readonly now?: () => number
}

/** How a signed value is read. */
export interface ReadOptions {
  /**
   * Older values are refused. May be a fraction. The value itself does not carry its lifetime.
   * @default 31
   */
  readonly maxAgeDays?: number
  /**
   * Set this to 1 when version 1 is to be read too: who has such a value can make others from it.
   * @default 2
   */
  readonly minVersion?: number
  /** The clock, in ms since the epoch. */
  readonly now?: () => number
}

const DAY = 86_400_000
const MOST_FUTURE_DAYS = 31

/**
 * Signs a value as Tornado does (`create_signed_value`, version 2): Tornado reads it, and so does
 * `decodeSignedValue`. The value is readable by everybody, it is not encrypted.
 *
 * @param name - the name of the cookie; the value is only good under this name
 * @throws SessionError `ERR_SESSION_SECRET` without a usable secret, `ERR_SESSION_MISUSE` for a name
 * that is not ASCII (Tornado cannot read back what it signs under one)
 */
export function createSignedValue(
  secret: SigningSecret | VersionedSecrets,
  name: string,
  value: string | Uint8Array,
  options: SignOptions = {},
): string {
  const timestamp = String(Math.floor((options.now ?? Date.now)() / 1000))
  const base64 = toBuffer(value).toString('base64')
  if (options.version === 1) return signVersion1(plainSecret(secret), name, base64, timestamp)
  refuseName(name)
  const key = options.keyVersion ?? 0
  const fields = [String(key), timestamp, name, base64].map((text) => `${text.length}:${text}`)
  const signed = `2|${fields.join('|')}|`
  return signed + signatureOf('sha256', signingSecret(secret, options.keyVersion), signed)
}

/**
 * The value that was signed, or undefined: nothing else comes of bad input, whatever it is.
 *
 * @param value - the text of the cookie
 * @throws SessionError `ERR_SESSION_SECRET` without a usable secret
 */
export function decodeSignedValue(
  secret: SigningSecret | VersionedSecrets,
  name: string,
  value: string | undefined,
  options: ReadOptions = {},
): Buffer | undefined {
  const read: Reading = {
    secret,
    name: toBytes(name),
    oldest: oldestOf(options),
    newest: nowOf(options) + MOST_FUTURE_DAYS * DAY,
  }
  refuseEmptySecret(secret)
  if (value === undefined || value === '') return undefined
  const bytes = toBytes(value)
  const version = versionOf(bytes)
  if (version < (options.minVersion ?? 2) || (options.minVersion ?? 2) > 2) return undefined
  if (version === 2) return readVersion2(bytes, read)
  return version === 1 ? readVersion1(bytes, read) : undefined
}

/**
 * The key version that a signed value names. It is not authenticated: anybody can write it.
 * Undefined if there is none that can be read.
 */
export function getSignatureKeyVersion(value: string): number | undefined {
  const bytes = toBytes(value)
  return versionOf(bytes) < 2 ? undefined : fieldsOf(bytes)?.keyVersion
}

interface Reading {
  readonly secret: SigningSecret | VersionedSecrets
  readonly name: string
  readonly oldest: number
  readonly newest: number
}

function readVersion2(bytes: string, read: Reading): Buffer | undefined {
  const fields = fieldsOf(bytes)
  const secret = fields && verifyingSecret(read.secret, fields.keyVersion)
  if (fields === undefined || secret === undefined) return undefined
  const signed = bytes.slice(0, bytes.length - fields.signature.length)
  if (!isSame(signatureOf('sha256', secret, signed), fields.signature)) return undefined
  if (!isSame(fields.name, read.name)) return undefined
  const timestamp = pythonInt(fields.timestamp)
  if (timestamp === undefined || timestamp * 1000 < read.oldest) return undefined
  return pythonBase64(fields.base64)
}

function readVersion1(bytes: string, read: Reading): Buffer | undefined {
  const [base64, text, signature, ...more] = bytes.split('|')
  if (base64 === undefined || text === undefined || signature === undefined) return undefined
  if (more.length > 0 || isVersioned(read.secret)) return undefined
  const signed = read.name + base64 + text
  if (!isSame(signatureOf('sha1', read.secret, signed), signature)) return undefined
  const timestamp = pythonInt(text)
  if (timestamp === undefined || text.startsWith('0')) return undefined
  if (timestamp * 1000 < read.oldest || timestamp * 1000 > read.newest) return undefined
  return pythonBase64(base64)
}

function signVersion1(secret: SigningSecret, name: string, base64: string, time: string): string {
  return `${base64}|${time}|${signatureOf('sha1', secret, toBytes(name) + base64 + time)}`
}

interface Fields {
  readonly keyVersion: number
  readonly timestamp: string
  readonly name: string
  readonly base64: string
  readonly signature: string
}

function fieldsOf(bytes: string): Fields | undefined {
  const texts: string[] = []
  let rest = bytes.slice(2)
  while (texts.length < 4) {
    const end = rest.indexOf(':') + 1
    const length = end === 0 ? undefined : pythonInt(rest.slice(0, end - 1))
    if (length === undefined || length < 0 || rest[end + length] !== '|') return undefined
    texts.push(rest.slice(end, end + length))
    rest = rest.slice(end + length + 1)
  }
  const [key = '', timestamp = '', name = '', base64 = ''] = texts
  const keyVersion = pythonInt(key)
  if (keyVersion === undefined) return undefined
  return { keyVersion, timestamp, name, base64, signature: rest }
}

// A text of version 1 may begin with digits: those of base64 are at least four.
function versionOf(bytes: string): number {
  const [, digits] = /^([1-9][0-9]*)\|[^\n]*$/.exec(bytes) ?? []
  return digits === undefined || digits.length > 3 ? 1 : Number(digits)
}

function oldestOf(options: ReadOptions): number {
  return nowOf(options) - (options.maxAgeDays ?? 31) * DAY
}

function nowOf(options: ReadOptions): number {
  return (options.now ?? Date.now)()
}

function toBuffer(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)
}

/** One character for each byte of the UTF-8 form: lengths and slices count in bytes. */
function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function signatureOf(hash: 'sha1' | 'sha256', secret: SigningSecret, bytes: string): string {
  return createHmac(hash, secret).update(bytes, 'latin1').digest('hex')
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1')]
  return a.length === b.length && timingSafeEqual(a, b)
}

function isVersioned(secret: SigningSecret | VersionedSecrets): secret is VersionedSecrets {
  return typeof secret === 'object' && !(secret instanceof Uint8Array)
}

function verifyingSecret(
  secret: SigningSecret | VersionedSecrets,
  keyVersion: number,
): SigningSecret | undefined {
  if (!isVersioned(secret)) return secret
  return Object.entries(secret).find(([key]) => key === String(keyVersion))?.[1]
}

function signingSecret(
  secret: SigningSecret | VersionedSecrets,
  keyVersion: number | undefined,
): SigningSecret {
  refuseEmptySecret(secret)
  if (!isVersioned(secret)) return secret
  const chosen = keyVersion === undefined ? undefined : verifyingSecret(secret, keyVersion)
  if (chosen !== undefined) return chosen
  throw new SessionError(
    'ERR_SESSION_SECRET',
    'Several secrets need keyVersion: which of them signs. Give a key version that has a secret.',
  )
}

function plainSecret(secret: SigningSecret | VersionedSecrets): SigningSecret {
  refuseEmptySecret(secret)
  if (!isVersioned(secret)) return secret
  throw new SessionError(
    'ERR_SESSION_SECRET',
    'Version 1 has no key versions: give one secret, or sign with version 2.',
  )
}

function refuseEmptySecret(secret: SigningSecret | VersionedSecrets): void {
  const secrets = isVersioned(secret) ? Object.values(secret) : [secret]
  if (secrets.length > 0 && secrets.every((one) => one !== undefined && one.length > 0)) return
  throw new SessionError(
    'ERR_SESSION_SECRET',
    'Signed values need a secret that is not empty. `openssl rand -base64 32` makes one.',
  )
}

function refuseName(name: string): void {
  if (/^[\x20-\x7e]+$/.test(name)) return
  throw new SessionError(
    'ERR_SESSION_MISUSE',
    'The name of a signed value must be ASCII and not empty: readers of other names count differently.',
  )
}
