import type { ConnectionOptions } from 'node:tls'
import type { Duration } from '../../duration.ts'
import { parseDuration } from '../../duration.ts'
import { SessionError } from '../../errors.ts'
import { refuseUnknownNames } from '../../names.ts'
import type { StoreCapabilities } from '../../store.ts'

/** Where Redis is, for a store that connects by itself. Either `url` or `host` is needed. */
export interface RedisSettings {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url?: string
  readonly host?: string
  /** @default 6379 */
  readonly port?: number
  readonly username?: string
  readonly password?: string
  /** The number of the database. @default 0 */
  readonly db?: number
  /** True, or options of `node:tls`, for a connection over TLS. @default false */
  readonly tls?: boolean | ConnectionOptions
  /**
   * How many connections the store may open. It opens one, which carries any number of commands at
   * the same time, so that every limit from 1 on is kept. @default 1
   */
  readonly maxConnections?: number
}

/** How a store uses Redis. */
export interface RedisStoreOptions {
  /** Set this when several applications share one Redis: every key begins with it. @default 'sojourn:' */
  readonly prefix?: string
  /** Set this when a call shall fail sooner, or later: a duration, or ms. @default '2s' */
  readonly deadline?: Duration | number
  /**
   * Set this to false when nobody asks for the sessions of a user, nor limits them: a login is then one
   * round trip, and each session that has a user takes less memory. @default true
   */
  readonly userIndex?: boolean
  /**
   * Set this to false when nobody lists sessions or listens to events: each session then takes less
   * memory. @default true
   */
  readonly registry?: boolean
  /**
   * Who must have a write before it is answered. Set this to `replica` when an acknowledged write must
   * survive the loss of the primary: every write then waits for one replica, for half of `deadline` at
   * most, and fails with `ERR_SESSION_TIMEOUT` if none has it by then. @default 'primary'
   */
  readonly ack?: 'primary' | 'replica'
}

/** Options that were checked; `deadline` in ms. */
export interface CheckedOptions {
  readonly prefix: string
  readonly deadline: number
  readonly userIndex: boolean
  readonly registry: boolean
  readonly ack: 'primary' | 'replica'
}

/** Settings that were checked. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly tls: ConnectionOptions | undefined
}

const SETTINGS = ['url', 'host', 'port', 'username', 'password', 'db', 'tls', 'maxConnections']
const OPTIONS = ['prefix', 'deadline', 'userIndex', 'registry', 'ack']
const WANTED = 'it needs a connected client, { url } or { host }'
const LONGEST_TIMER = 2_147_483_647

/** @throws SessionError `ERR_SESSION_OPTION` */
export function checkOptions(options: RedisStoreOptions): CheckedOptions {
  refuseUnknownNames(options, OPTIONS, 'RedisStore')
  const { prefix = 'sojourn:', deadline: given = '2s' } = options
  const { userIndex = true, registry = true, ack = 'primary' } = options
  demand(isText(prefix), 'prefix must be text')
  demand(
    /^[^{]*(?:\{[^}]+\}|$)/.test(prefix),
    'prefix must not contain {, but with a name and } after it: in a cluster these say where keys are',
  )
  demand(typeof userIndex === 'boolean', 'userIndex must be true or false')
  demand(typeof registry === 'boolean', 'registry must be true or false')
  demand(ack === 'primary' || ack === 'replica', "ack must be 'primary' or 'replica'")
  const deadline = isText(given) ? parseDuration(given, 'deadline') : given
  demand(isWhole(deadline, 1, LONGEST_TIMER), "deadline must be a duration such as '2s', or ms")
  return Object.freeze({ prefix, deadline, userIndex, registry, ack })
}

/** What a store with these options can do. */
export function capabilitiesOf({ userIndex, registry }: CheckedOptions): StoreCapabilities {
  return Object.freeze({
    engine: 'redis',
    shared: 'network',
    durable: 'engine',
    expiry: 'engine',
    commit: 'atomic',
    clock: 'engine',
    deadline: true,
    userIndex,
    list: registry,
    userCap: userIndex,
    events: registry ? 'log' : 'none',
    expect: true,
  } satisfies StoreCapabilities)
}

/** @throws SessionError `ERR_SESSION_OPTION` for what is neither a client nor settings */
export function checkSource(source: unknown): asserts source is object {
  demand(typeof source === 'object' && source !== null, WANTED)
}

/** @throws SessionError `ERR_SESSION_OPTION`; its message never holds the url, which may hold a password */
export function checkSettings(settings: RedisSettings): RedisAddress {
  refuseUnknownNames(settings, SETTINGS, 'RedisStore')
  const { url, maxConnections = 1 } = settings
  demand(
    typeof maxConnections === 'number' && maxConnections >= 1,
    'maxConnections must be at least 1',
  )
  const address = url === undefined ? fromParts(settings) : fromUrl(url, settings)
  demand(isText(address.host) && address.host !== '', 'host must be a host name or an address')
  demand(isWhole(address.port, 1, 65_535), 'port must be a number from 1 to 65535')
  demand(isWhole(address.db, 0, LONGEST_TIMER), 'db must be the number of a database, such as 0')
  const { username, password } = address
  demand(username === undefined || isText(username), 'username must be text')
  demand(password === undefined || isText(password), 'password must be text')
  return Object.freeze(address)
}

function fromParts(settings: RedisSettings): RedisAddress {
  const { host, port = 6379, username, password, db = 0, tls } = settings
  if (host === undefined) throw refused(WANTED)
  return { host, port, username, password, db, tls: tlsOf(tls) }
}

function fromUrl(text: string, settings: RedisSettings): RedisAddress {
  demand(
    settings.host === undefined && settings.port === undefined,
    'url and host contradict each other: give one',
  )
  const url = isText(text) && URL.canParse(text) ? new URL(text) : undefined
  const encrypted = url?.protocol === 'rediss:'
  if (url === undefined || (url.protocol !== 'redis:' && !encrypted)) {
    throw refused("url must begin with 'redis://' or 'rediss://', such as redis://localhost:6379/0")
  }
  const path = url.pathname.slice(1)
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    username: settings.username ?? (decodeURIComponent(url.username) || undefined),
    password: settings.password ?? (decodeURIComponent(url.password) || undefined),
    db: settings.db ?? (path === '' ? 0 : Number(path)),
    tls: tlsOf(settings.tls ?? encrypted),
  }
}

function tlsOf(tls: RedisSettings['tls']): ConnectionOptions | undefined {
  if (tls === undefined || tls === false) return undefined
  if (tls === true) return {}
  demand(typeof tls === 'object' && tls !== null, 'tls must be true, false or options of node:tls')
  return tls
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw refused(what)
}

function refused(what: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', `RedisStore: ${what}.`)
}
