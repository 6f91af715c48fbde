import type { Duration } from './duration.ts'
import type { SessionEvent } from './events.ts'
import type { Secret } from './keyring.ts'
import type { SessionStore } from './store.ts'

/** The options of a `SessionManager`. Every one has a safe default; most programs give `secret` and `store`. */
export interface SessionOptions {
  /**
   * What signs the cookie: one secret, or `[current, ...older]`. The first signs, all verify.
   * @default a generated one that is kept, in development; required when NODE_ENV is `production`
   */
  readonly secret?: Secret | readonly Secret[] | undefined
  /**
   * Where sessions are kept.
   * @default the embedded store in `.sojourn`
   */
  readonly store?: SessionStore
  /**
   * How long a session lives without a request.
   * @default '1h'
   */
  readonly idleTimeout?: Duration
  /**
   * How long a session lives at most, from its creation or the last login.
   * @default '24h'
   */
  readonly lifetime?: Duration
  /**
   * Set this when the cookie shall change while it is in use: after this time the next response
   * carries a new one.
   * @default never
   */
  readonly renewAfter?: Duration
  /**
   * How long the previous cookie stays good after a renewal, for requests under way.
   * @default '60s'
   */
  readonly grace?: Duration
  readonly cookie?: CookieOptions
  /**
   * What a request gets while the store cannot be reached: an error with status 503, or an anonymous
   * session. What an anonymous one sets then is never reported as saved.
   * @default 'fail'
   */
  readonly onStoreFailure?: 'fail' | 'anonymous'
  /**
   * How long a store call may take, for stores that have no deadline of their own.
   * @default '2s'
   */
  readonly storeDeadline?: Duration
  /**
   * Set this when two applications share a secret or a store: a cookie of one means nothing to the other.
   * @default ''
   */
  readonly namespace?: string
  readonly limits?: LimitOptions
  /**
   * Set this when a user may have only so many sessions. Needs a store that can keep the limit.
   * @default no limit
   */
  readonly maxPerUser?: number
  /**
   * What happens at that limit: the session that ends first makes room, or the login is refused with
   * `ERR_SESSION_LIMIT`, status 403.
   * @default 'evict-oldest'
   */
  readonly onLimit?: 'evict-oldest' | 'reject'
  /**
   * Set this when the program runs on plain http under a name other than localhost. Refused when
   * NODE_ENV is `production`.
   * @default false
   * @deprecated not deprecated, but marked so that it stands out: the cookie can be read on the way.
   */
  readonly insecureDevelopment?: boolean
  /** Is told of every event; what it throws is isolated. */
  readonly observe?: (event: SessionEvent) => void
  /**
   * The clock, in ms since the epoch. Set this in tests.
   * @default Date.now
   */
  readonly now?: () => number
}

/** The cookie. There is no option to make it readable by scripts. */
export interface CookieOptions {
  /**
   * The name without a prefix: `__Host-Http-` (or `__Secure-` with a domain or a path) is put before it.
   * @default 'sid'
   */
  readonly name?: string
  /** @default 'lax' */
  readonly sameSite?: 'lax' | 'strict' | 'none'
  /**
   * True keeps the cookie when the browser is closed, for as long as the session lives.
   * @default false
   */
  readonly persistent?: boolean
  /** A persistent cookie of that many days without a request: stands for `persistent` and `idleTimeout`. */
  readonly expiresDays?: number
  /** Set this when subdomains shall get the cookie too. */
  readonly domain?: string
  /** @default '/' */
  readonly path?: string
  /**
   * Set this when the page is embedded in pages of other sites (CHIPS).
   * @default false
   */
  readonly partitioned?: boolean
}

/** How much a session may hold. */
export interface LimitOptions {
  /**
   * Bytes of one encoded value.
   * @default 1_048_576
   */
  readonly valueBytes?: number
  /**
   * Characters of all encoded values together.
   * @default 4_194_304
   */
  readonly sessionSize?: number
  /**
   * Number of names.
   * @default 10_000
   */
  readonly names?: number
}
