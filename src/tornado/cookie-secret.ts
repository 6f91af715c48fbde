import type { SessionOptions } from '../options.ts'
import { SessionError } from '../errors.ts'
import type { CookieSecret, Settings } from './settings.ts'
import { createSignedValue, decodeSignedValue } from './signed-value.ts'
import type { SigningSecret, VersionedSecrets } from './signed-value.ts'

/**
 * The secrets for a session manager: the current one first.
 *
 * @throws SessionError `ERR_SESSION_SECRET` if several secrets do not say which of them signs
 */
export function secretsForSessions({
  cookieSecret,
  keyVersion,
}: Settings): SessionOptions['secret'] {
  if (!isVersioned(cookieSecret)) return cookieSecret
  const current = keyVersion === undefined ? undefined : cookieSecret[keyVersion]
  if (current === undefined) {
    throw new SessionError(
      'ERR_SESSION_SECRET',
      'cookieSecret has key versions: set keyVersion to the one that signs.',
    )
  }
  return [current, ...Object.values(cookieSecret).filter((secret) => secret !== current)]
}

/** Signs the value of a cookie with the current secret of the settings. */
export function signFor(settings: Settings, name: string, value: string): string {
  const secret = secretOf(settings)
  if (isList(secret)) return createSignedValue(secret[0] ?? '', name, value)
  const { keyVersion } = settings
  return createSignedValue(secret, name, value, keyVersion === undefined ? {} : { keyVersion })
}

/** The text that was signed with any secret of the settings. */
export function readSigned(
  settings: Settings,
  name: string,
  value: string | undefined,
  maxAgeDays: number,
): string | undefined {
  const secret = secretOf(settings)
  for (const one of isList(secret) ? secret : [secret]) {
    const bytes = decodeSignedValue(one, name, value, { maxAgeDays })
    if (bytes !== undefined) return bytes.toString('utf8')
  }
  return undefined
}

function secretOf({ cookieSecret }: Settings): CookieSecret {
  if (cookieSecret !== undefined) return cookieSecret
  throw new SessionError('ERR_SESSION_SECRET', 'Signed cookies need the setting cookieSecret.')
}

function isList(secret: CookieSecret): secret is readonly SigningSecret[] {
  return Array.isArray(secret)
}

function isVersioned(secret: CookieSecret | undefined): secret is VersionedSecrets {
  return typeof secret === 'object' && !isList(secret) && !(secret instanceof Uint8Array)
}
