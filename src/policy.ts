import { parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import { SessionError } from './errors.ts'
import { refuseUnknownNames } from './names.ts'
import type { CookieOptions, LimitOptions, SessionOptions } from './options.ts'
import type { SessionStore, UserCap } from './store.ts'

/** The options as they are in force: checked, complete, in ms, frozen. */
export interface Policy {
  readonly idle: number
  readonly lifetime: number
  readonly renewAfter: number | undefined
  readonly grace: number
  readonly onStoreFailure: 'fail' | 'anonymous'
  readonly storeDeadline: number
  readonly namespace: string
  readonly limits: Required<LimitOptions>
  readonly cap: UserCap | undefined
  readonly cookie: CookiePolicy
}

/** The cookie as it is in force, without its prefixed name. */
export interface CookiePolicy {
  readonly name: string
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly persistent: boolean
  readonly domain: string | undefined
  readonly path: string
  readonly partitioned: boolean
  readonly secure: boolean
}

const DAY = 86_400_000
const MONTH = 30 * DAY

// NIST SP 800-63B-4, AAL2: at most an hour without activity, a day in all.
const DEFAULTS = {
  idleTimeout: '1h',
  lifetime: '24h',
  grace: '60s',
  onStoreFailure: 'fail',
  storeDeadline: '2s',
  namespace: '',
  limits: { valueBytes: 1_048_576, sessionSize: 4_194_304, names: 10_000 },
  cookie: { name: 'sid', sameSite: 'lax', persistent: false, path: '/', partitioned: false },
} as const

const OPTION_NAMES: readonly (keyof SessionOptions)[] = [
  'secret',
  'store',
  'idleTimeout',
  'lifetime',
  'renewAfter',
  'grace',
  'cookie',
  'onStoreFailure',
  'storeDeadline',
  'namespace',
  'limits',
  'maxPerUser',
  'onLimit',
  'insecureDevelopment',
  'observe',
  'now',
]

const COOKIE_NAMES: readonly (keyof CookieOptions)[] = [
  'name',
  'sameSite',
  'persistent',
  'expiresDays',
  'domain',
  'path',
  'partitioned',
]

const LIMIT_NAMES: readonly (keyof LimitOptions)[] = ['valueBytes', 'sessionSize', 'names']

/**
 * Checks the options and completes them with the defaults.
 *
 * @param production - whether NODE_ENV is `production`
 * @throws SessionError `ERR_SESSION_OPTION`, with what to do
 */
export function resolvePolicy(options: SessionOptions, production: boolean): Policy {
  refuseUnknownNames(options, OPTION_NAMES, 'SessionManager')
  checkStore(options.store)
  checkFunction(options.observe, 'observe')
  checkFunction(options.now, 'now')
  const cookie = options.cookie ?? {}
  refuseUnknownNames(cookie, COOKIE_NAMES, 'cookie')
  const times = resolveTimes(options, cookie)
  return Object.freeze({
    ...times,
    onStoreFailure: oneOf(
      options.onStoreFailure ?? DEFAULTS.onStoreFailure,
      ['fail', 'anonymous'],
      'onStoreFailure',
    ),
    storeDeadline: parseDuration(options.storeDeadline ?? DEFAULTS.storeDeadline, 'storeDeadline'),
    namespace: textOf(options.namespace ?? DEFAULTS.namespace, 'namespace'),
    limits: resolveLimits(options.limits ?? {}),
    cap: resolveCap(options),
    cookie: resolveCookie(cookie, isSecure(options, production)),
  })
}

const VERBS = ['load', 'create', 'commit', 'destroy', 'swap', 'take'] as const

function checkStore(store: unknown): void {
  if (store === undefined) return
  const given: object = Object(store)
  const lacking = VERBS.filter((verb) => typeof Reflect.get(given, verb) !== 'function')
  if (typeof Reflect.get(given, 'capabilities') === 'object' && lacking.length === 0) return
  throw wrong(
    'store must be a store, such as new RedisStore(client). A client or a name is none by itself.',
  )
}

function checkFunction(given: unknown, name: string): void {
  if (given !== undefined && typeof given !== 'function') throw wrong(`${name} must be a function.`)
}

type Times = Pick<Policy, 'idle' | 'lifetime' | 'renewAfter' | 'grace'>

function resolveTimes(options: SessionOptions, cookie: CookieOptions): Times {
  const days = cookie.expiresDays === undefined ? undefined : daysOf(cookie, options)
  const idle = days ?? parseDuration(options.idleTimeout ?? DEFAULTS.idleTimeout, 'idleTimeout')
  const lifetime = lifetimeOf(options.lifetime, idle, days !== undefined)
  return {
    idle,
    lifetime,
    renewAfter:
      options.renewAfter === undefined
        ? undefined
        : parseDuration(options.renewAfter, 'renewAfter'),
    grace: parseDuration(options.grace ?? DEFAULTS.grace, 'grace'),
  }
}

function lifetimeOf(given: Duration | undefined, idle: number, byDays: boolean): number {
  if (given === undefined) {
    return Math.max(byDays ? MONTH : parseDuration(DEFAULTS.lifetime, 'lifetime'), idle)
  }
  const lifetime = parseDuration(given, 'lifetime')
  if (lifetime >= idle) return lifetime
  throw wrong(`lifetime (${given}) is shorter than the idle timeout. Make it at least as long.`)
}

function daysOf(cookie: CookieOptions, options: SessionOptions): number {
  if (options.idleTimeout !== undefined) {
    throw wrong(
      'cookie.expiresDays and idleTimeout both say how long a session may be idle. Give one.',
    )
  }
  if (cookie.persistent === false) {
    throw wrong('cookie.expiresDays makes the cookie persistent: leave cookie.persistent out.')
  }
  const days = cookie.expiresDays
  if (typeof days === 'number' && days > 0 && days <= 400) return Math.round(days * DAY)
  throw wrong('cookie.expiresDays must be a number of days above 0 and at most 400.')
}

function resolveCookie(cookie: CookieOptions, secure: boolean): CookiePolicy {
  const sameSite = oneOf(
    cookie.sameSite ?? DEFAULTS.cookie.sameSite,
    ['lax', 'strict', 'none'],
    'cookie.sameSite',
  )
  const persistent = flag(cookie.persistent, 'cookie.persistent')
  return Object.freeze({
    name: textOf(cookie.name ?? DEFAULTS.cookie.name, 'cookie.name'),
    sameSite,
    persistent: persistent || cookie.expiresDays !== undefined,
    domain: cookie.domain === undefined ? undefined : textOf(cookie.domain, 'cookie.domain'),
    path: textOf(cookie.path ?? DEFAULTS.cookie.path, 'cookie.path'),
    partitioned: flag(cookie.partitioned, 'cookie.partitioned'),
    secure,
  })
}

function isSecure(options: SessionOptions, production: boolean): boolean {
  const insecure = flag(options.insecureDevelopment, 'insecureDevelopment')
  if (insecure && production) {
    throw wrong(
      'insecureDevelopment is refused when NODE_ENV is production. Serve over https and leave it out.',
    )
  }
  return !insecure
}

function resolveLimits(given: LimitOptions): Required<LimitOptions> {
  refuseUnknownNames(given, LIMIT_NAMES, 'limits')
  for (const name of LIMIT_NAMES) {
    const value = given[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw wrong(`limits.${name} must be a whole number above 0.`)
    }
  }
  return Object.freeze({ ...DEFAULTS.limits, ...given })
}

function resolveCap({ maxPerUser, onLimit }: SessionOptions): UserCap | undefined {
  const full = oneOf(onLimit ?? 'evict-oldest', ['evict-oldest', 'reject'], 'onLimit')
  if (maxPerUser !== undefined && !(Number.isSafeInteger(maxPerUser) && maxPerUser > 0)) {
    throw wrong('maxPerUser must be a whole number above 0.')
  }
  if (maxPerUser === undefined && onLimit !== undefined) {
    throw wrong('onLimit says what happens at maxPerUser. Give both, or neither.')
  }
  return maxPerUser === undefined ? undefined : Object.freeze({ most: maxPerUser, full })
}

function oneOf<T extends string>(given: T, valid: readonly T[], name: string): T {
  if (valid.includes(given)) return given
  throw wrong(`${name} must be ${valid.map((one) => `'${one}'`).join(' or ')}.`)
}

function textOf(given: unknown, name: string): string {
  if (typeof given === 'string' && given.isWellFormed()) return given
  throw wrong(`${name} must be text.`)
}

function flag(given: unknown, name: string): boolean {
  if (given === undefined || typeof given === 'boolean') return given ?? false
  throw wrong(`${name} must be true or false.`)
}

function wrong(message: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', message)
}

/** @throws SessionError `ERR_SESSION_OPTION` if a limit is asked for that the store cannot keep */
export function checkCap(
  { cap }: Policy,
  { capabilities }: Pick<SessionStore, 'capabilities'>,
): void {
  if (cap === undefined || capabilities.userCap === true) return
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `maxPerUser needs a store that can keep the limit; ${capabilities.engine} cannot. Leave it out, or use another store.`,
  )
}
