import { SessionError } from '../errors.ts'
import { nearestName } from '../names.ts'
import type { AnySessionManager } from './session-attachment.ts'
import type { PycketSettings } from './engines.ts'
import type { LogEntry } from './log.ts'
import type { SigningSecret, VersionedSecrets } from './signed-value.ts'
import type { CookieAttributes } from './cookies.ts'

/**
 * The settings of an `Application`. They are never changed. For settings of your own:
 * `declare module 'sojourn/tornado' { interface Settings { … } }`.
 */
export interface Settings {
  /**
   * Signs the session's cookie and signed cookies. One secret, `[current, ...older]`, or secrets by
   * key version as in Tornado. At least 32 bytes in production: `openssl rand -base64 32`.
   */
  readonly cookieSecret?: CookieSecret | undefined
  /** Which of several secrets signs, when `cookieSecret` has key versions. */
  readonly keyVersion?: number
  /** Where and how sessions are kept; handlers with `SessionMixin` need it, or `sessions`. */
  readonly pycket?: PycketSettings
  /** Set this when the manager is made elsewhere. The application does not close it. */
  readonly sessions?: AnySessionManager
  /** Where `authenticated` sends visitors who have not logged in. */
  readonly loginUrl?: string
  /**
   * Demands a token for every method but GET, HEAD and OPTIONS.
   * @default false
   */
  readonly xsrfCookies?: boolean
  /** @default '_xsrf' */
  readonly xsrfCookieName?: string
  /** Replaces attributes of the xsrf cookie. */
  readonly xsrfCookieKwargs?: CookieAttributes
  /** Origins whose pages may send forms here: `https://shop.example`. */
  readonly xsrfTrustedOrigins?: readonly string[]
  /**
   * Bytes of a request's body; larger ones are answered 413.
   * @default 10_485_760
   */
  readonly maxBodySize?: number
  /**
   * Set this when a proxy of yours sets X-Real-Ip, X-Forwarded-For, X-Scheme or X-Forwarded-Proto.
   * @default false
   */
  readonly xheaders?: boolean
  /**
   * Is told of every request once it has ended. Without it, errors with status 500 and above go to
   * `console.error`.
   */
  readonly logFunction?: (entry: LogEntry) => void
}

/** See `Settings.cookieSecret`. */
export type CookieSecret = SigningSecret | readonly SigningSecret[] | VersionedSecrets

/** What a handler needs of its application. */
export interface HandlerApplication {
  readonly settings: Settings
  /** The manager of `pycket` or `sessions`. */
  readonly sessions: AnySessionManager | undefined
  reverseUrl(name: string, ...values: readonly unknown[]): string
}

type Type = 'string' | 'number' | 'boolean' | 'object' | 'function'

const TYPES: Readonly<Record<keyof Settings, readonly Type[]>> = {
  cookieSecret: ['string', 'object'],
  keyVersion: ['number'],
  pycket: ['object'],
  sessions: ['object'],
  loginUrl: ['string'],
  xsrfCookies: ['boolean'],
  xsrfCookieName: ['string'],
  xsrfCookieKwargs: ['object'],
  xsrfTrustedOrigins: ['object'],
  maxBodySize: ['number'],
  xheaders: ['boolean'],
  logFunction: ['function'],
}

/**
 * Refuses settings that are misspelt or of the wrong type: `xsrfCookies: 'yes'` would protect nothing.
 * Names that are near to none of ours are settings of the program.
 *
 * @throws SessionError `ERR_SESSION_OPTION`
 */
export function checkSettings(settings: Settings): void {
  for (const [name, value] of Object.entries(settings)) checkSetting(name, value)
  const { maxBodySize = 1, xsrfTrustedOrigins = [] } = settings
  if (!Number.isSafeInteger(maxBodySize) || maxBodySize <= 0) {
    throw wrong('maxBodySize must be a whole number of bytes above 0.')
  }
  for (const origin of xsrfTrustedOrigins) checkOrigin(origin)
}

function checkSetting(name: string, value: unknown): void {
  if (!Object.hasOwn(TYPES, name)) return refuseMisspelt(name)
  const types: readonly string[] = TYPES[name as keyof Settings]
  if (value === undefined || (value !== null && types.includes(typeof value))) return
  throw wrong(`${name} must be of the type ${types.join(' or ')}, not ${nameOfType(value)}.`)
}

function refuseMisspelt(name: string): void {
  const meant = nearestName(name.replaceAll('_', ''), Object.keys(TYPES))
  if (meant !== undefined) throw wrong(`There is no setting '${name}'. Did you mean '${meant}'?`)
}

function nameOfType(value: unknown): string {
  return value === null ? 'null' : typeof value
}

function checkOrigin(origin: string): void {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return
  throw wrong("xsrfTrustedOrigins must be origins such as 'https://shop.example', without a path.")
}

function wrong(message: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', message)
}
