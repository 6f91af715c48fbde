import { SessionError } from '../errors.ts'
import { SessionManager } from '../manager.ts'
import { nearestName, refuseUnknownNames } from '../names.ts'
import type { CookieOptions, SessionOptions } from '../options.ts'
import type { SessionStore } from '../store.ts'
import { EmbeddedStore } from '../stores/embedded.ts'
import type { EmbeddedStoreOptions } from '../stores/embedded.ts'
import { MemoryStore } from '../stores/memory.ts'
import type { MemoryStoreOptions } from '../stores/memory.ts'
import { RedisStore } from '../stores/redis.ts'
import type { RedisSettings, RedisStoreOptions } from '../stores/redis.ts'
import { secretsForSessions } from './cookie-secret.ts'
import type { AnySessionManager } from './session-attachment.ts'
import type { Settings } from './settings.ts'

/** The engines that `pycket.engine` knows. */
export type EngineName = 'embedded' | 'memory' | 'redis'

/**
 * Where and how sessions are kept: pycket's setting, with the options of a `SessionManager` beside it.
 *
 * @example
 * pycket: {
 *   engine: 'redis',
 *   storage: { host: 'localhost', port: 6379, maxConnections: 2 ** 64 },
 *   cookies: { expiresDays: 2 },
 * }
 */
export interface PycketSettings extends Omit<SessionOptions, 'secret' | 'store' | 'cookie'> {
  /** @default 'embedded' */
  readonly engine?: EngineName
  /** What the engine needs: `{ path }` of the embedded one, `{ url }` or `{ host, port, … }` of Redis. */
  readonly storage?: StorageSettings
  readonly cookies?: PycketCookies
}

/** Settings of an engine; those of another engine are refused. */
export interface StorageSettings
  extends EmbeddedStoreOptions, MemoryStoreOptions, RedisSettings, RedisStoreOptions {}

/** The session's cookie: see `CookieOptions`. What is undefined is left out. */
export interface PycketCookies extends OrUndefined<CookieOptions> {
  /** Always so; for programs that say it. */
  readonly httpOnly?: true
  /** So unless `insecureDevelopment`; for programs that say it. */
  readonly secure?: true
}

type OrUndefined<T> = { readonly [K in keyof T]?: T[K] | undefined }

const ENGINES: Readonly<Record<EngineName, (storage: StorageSettings) => SessionStore>> = {
  embedded: (storage) => new EmbeddedStore(storage),
  memory: (storage) => new MemoryStore(storage),
  redis: redisStore,
}

const ENGINE_NAMES = Object.keys(ENGINES)

const PYCKET_SETTINGS: Readonly<Record<keyof PycketSettings, true>> = {
  engine: true,
  storage: true,
  cookies: true,
  idleTimeout: true,
  lifetime: true,
  renewAfter: true,
  grace: true,
  onStoreFailure: true,
  storeDeadline: true,
  namespace: true,
  limits: true,
  maxPerUser: true,
  onLimit: true,
  insecureDevelopment: true,
  observe: true,
  now: true,
}

/**
 * The manager of an application.
 *
 * @param needed - whether any handler has a session
 * @returns undefined if no session was asked for
 * @throws SessionError `ERR_SESSION_OPTION` or `ERR_SESSION_SECRET`, with what is valid
 */
export function sessionsFor(settings: Settings, needed: boolean): AnySessionManager | undefined {
  if (settings.sessions !== undefined) return settings.sessions
  if (settings.pycket !== undefined) return managerOf(settings, settings.pycket)
  if (!needed) return undefined
  throw wrong(
    `A handler has SessionMixin and there is no setting pycket. Set pycket: { engine }, with one of ${quoted()}.`,
  )
}

function managerOf(settings: Settings, pycket: PycketSettings): SessionManager {
  refuseUnknownNames(pycket, Object.keys(PYCKET_SETTINGS), 'pycket')
  const { engine = 'embedded', storage = {}, cookies = {}, ...options } = pycket
  return new SessionManager({
    ...options,
    secret: secretsForSessions(settings),
    store: storeOf(engine, storage),
    cookie: cookieOf(cookies),
  })
}

function storeOf(engine: string, storage: StorageSettings): SessionStore {
  const make = Object.hasOwn(ENGINES, engine) ? ENGINES[engine as EngineName] : undefined
  if (make !== undefined) return make(storage)
  const near = typeof engine === 'string' ? nearestName(engine, ENGINE_NAMES) : undefined
  const hint = near === undefined ? '' : ` Did you mean '${near}'?`
  throw wrong(`pycket.engine must be one of ${quoted()}, not ${show(engine)}.${hint}`)
}

// Absence is a host of its own: Redis on this machine, as in pycket.
function redisStore({ prefix, deadline, ...address }: StorageSettings): SessionStore {
  const settings = address.url === undefined ? { host: 'localhost', ...address } : address
  return new RedisStore(settings, {
    ...(prefix !== undefined && { prefix }),
    ...(deadline !== undefined && { deadline }),
  })
}

function cookieOf({ httpOnly, secure, ...cookies }: PycketCookies): CookieOptions {
  if (isFalse(httpOnly) || isFalse(secure)) {
    throw wrong(
      'The session cookie is always httpOnly and secure. Leave both out of pycket.cookies; for plain http see insecureDevelopment.',
    )
  }
  const given = Object.entries(cookies).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(given)
}

function isFalse(flag: unknown): boolean {
  return flag === false
}

function quoted(): string {
  return ENGINE_NAMES.map((name) => `'${name}'`).join(', ')
}

function show(engine: unknown): string {
  return typeof engine === 'string' ? `'${engine.slice(0, 40)}'` : `a ${typeof engine}`
}

function wrong(message: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', message)
}
