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

const SETTING_NAMES: readonly (keyof Settings)[] = [
  'cookieSecret',
  'keyVersion',
  'pycket',
  'sessions',
  'loginUrl',
  'xsrfCookies',
  'xsrfCookieName',
  'xsrfCookieKwargs',
  'xsrfTrustedOrigins',
  'maxBodySize',
  'xheaders',
  'logFunction',
]

/**
 * Refuses settings that are misspelt or of the wrong type. Names that are near to none of ours are
 * settings of the program.
 *
 * @throws SessionError `ERR_SESSION_OPTION`
 */
export function checkSettings(settings: Settings): void {
  for (const name of Object.keys(settings)) refuseMisspelt(name)
  const { maxBodySize = 1 } = settings
  if (Number.isSafeInteger(maxBodySize) && maxBodySize > 0) return
  throw wrong('maxBodySize must be a whole number of bytes above 0.')
}

function refuseMisspelt(name: string): void {
  const known: readonly string[] = SETTING_NAMES
  if (known.includes(name)) return
  const meant = nearestName(name.replaceAll('_', ''), known)
  if (meant !== undefined) throw wrong(`There is no setting '${name}'. Did you mean '${meant}'?`)
}

function wrong(message: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', message)
}
