import { createSecretKey, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SessionError } from './errors.ts'

/** A secret: text, or bytes. At least 32 bytes: `openssl rand -base64 32` makes one. */
export type Secret = string | Uint8Array

/** What a sub-key is for. One secret never serves two purposes directly. */
export type KeyPurpose = 'cookie' | 'csrf' | 'encryption' | 'device'

/** One secret of the ring. */
export interface Key {
  /** The public name of the key, 8 characters of base64url, derived from the secret. */
  readonly kid: string
  /** The sub-key for a purpose, derived once by HKDF-SHA256 (RFC 5869). */
  subKey(purpose: KeyPurpose): KeyObject
}

/** Secrets by key id: the first one signs, all of them verify. */
export class Keyring {
  readonly current: Key
  readonly #byKid = new Map<string, Key>()

  constructor(secrets: readonly [Secret, ...Secret[]]) {
    const keys = secrets.map(deriveKey)
    for (const key of keys) this.#byKid.set(key.kid, key)
    this.current = keys[0] as Key
  }

  /** The key of that id, if it is on the ring. */
  find(kid: string): Key | undefined {
    return this.#byKid.get(kid)
  }
}

function deriveKey(secret: Secret): Key {
  const subKeys = new Map<KeyPurpose, KeyObject>()
  return {
    kid: Buffer.from(expand(secret, 'kid', 6)).toString('base64url'),
    subKey(purpose) {
      const known = subKeys.get(purpose) ?? createSecretKey(expand(secret, purpose, 32))
      subKeys.set(purpose, known)
      return known
    },
  }
}

function expand(secret: Secret, purpose: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `sojourn/${purpose}/v1`, length))
}

const DEVELOPMENT_DIRECTORY = '.sojourn'

/**
 * The secrets of a manager as it was given them; in development one that is made and kept.
 *
 * @throws SessionError `ERR_SESSION_SECRET` if there is none in production, or one can be guessed
 */
export function resolveSecrets(
  given: Secret | readonly Secret[] | undefined,
  production: boolean,
): [Secret, ...Secret[]] {
  const secrets = given === undefined || given === '' ? [] : isList(given) ? given : [given]
  if (secrets.length === 0 && !production && given === undefined) {
    return [developmentSecret(DEVELOPMENT_DIRECTORY)]
  }
  checkSecrets(secrets, production)
  const [current, ...older] = secrets
  return [current as Secret, ...older]
}

function isList(given: Secret | readonly Secret[]): given is readonly Secret[] {
  return Array.isArray(given)
}

/**
 * Refuses secrets that can be guessed.
 *
 * @param production - false accepts short secrets, so that a first program runs; true demands 32 bytes
 * @throws SessionError `ERR_SESSION_SECRET`
 */
export function checkSecrets(secrets: readonly Secret[], production: boolean): void {
  if (secrets.length === 0) throw new SessionError('ERR_SESSION_SECRET', NO_SECRET)
  for (const secret of secrets) checkSecret(secret, production)
}

const NO_SECRET =
  'No secret was given. Set `secret` to at least 32 random bytes kept outside the code, ' +
  'for example `secret: process.env.SESSION_SECRET` with the output of `openssl rand -base64 32`.'

function checkSecret(secret: Secret, production: boolean): void {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) {
    throw new SessionError('ERR_SESSION_SECRET', 'A secret must be text or bytes, and not empty.')
  }
  if (!production) return
  if (bytes.length < 32) {
    throw new SessionError(
      'ERR_SESSION_SECRET',
      `A secret has ${bytes.length} bytes; in production it must have at least 32. \`openssl rand -base64 32\` makes one.`,
    )
  }
  if (new Set(bytes).size < 8) {
    throw new SessionError(
      'ERR_SESSION_SECRET',
      'A secret repeats a few characters and can be guessed. `openssl rand -base64 32` makes a good one.',
    )
  }
}

/**
 * The secret for development, when none is given: made once and kept, so that a restart logs nobody
 * out. The directory gets mode 0700, the file 0600.
 *
 * @param directory - where it is kept
 */
export function developmentSecret(directory: string): Secret {
  const path = join(directory, 'development-secret')
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (!existsSync(path)) keepSecret(path)
    const secret = readFileSync(path, 'utf8')
    if (secret !== '') return secret
  } catch (cause) {
    throw unusable(path, cause)
  }
  throw unusable(path)
}

// Under its name it is there as a whole or not at all: another process may start at the same time.
function keepSecret(path: string): void {
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!isExisting(error)) throw error
  } finally {
    rmSync(draft)
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

function unusable(path: string, cause?: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_SECRET',
    `No secret was given and one for development cannot be kept in '${path}'. Set \`secret\`, or make this a file that can be written and is not empty.`,
    { cause },
  )
}
