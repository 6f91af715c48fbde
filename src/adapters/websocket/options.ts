import type { IncomingMessage } from 'node:http'
import { parseDuration } from '../../duration.ts'
import type { Duration } from '../../duration.ts'
import { SessionError } from '../../errors.ts'
import { refuseUnknownNames } from '../../names.ts'
import { POLICY_VIOLATION } from './end.ts'
import { listedOrigins } from './origin.ts'
import type { OriginRules } from './origin.ts'

/** How sessions are joined to live connections. */
export interface WebSocketOptions {
  /**
   * Set this when pages of other origins may connect: `['https://app.example.com']`. Our own, of the
   * Host header, always may.
   * @default []
   */
  readonly origins?: readonly string[]
  /**
   * Set this to `accept` when programs that are no browsers connect with a session's cookie: they send
   * no Origin.
   * @default 'refuse'
   */
  readonly absentOrigin?: 'refuse' | 'accept'
  /**
   * Set this to `refuse` when nobody may connect without a session: the answer is 401.
   * @default 'accept'
   */
  readonly anonymous?: 'accept' | 'refuse'
  /**
   * Set this when only those who are logged in may connect: others are answered with 401.
   * @default false
   */
  readonly requireUser?: boolean
  /**
   * Set this when what comes over the connection is the doing of the visitor, not of a clock: a message
   * keeps the session alive as a request does.
   * @default false
   */
  readonly keepAlive?: boolean
  /**
   * Set this when not even one message may be delivered after the end of the session in another
   * process: each waits until the store has said that the session lives.
   * @default false
   */
  readonly checkMessages?: boolean
  /**
   * Set this when the store is asked too often, or not often enough: how long a session that lives is
   * left alone. It is always asked when the session would expire.
   * @default `600ms`; `30s` with a store that has events
   */
  readonly checkEvery?: Duration
  /**
   * Set this when the client shall be able to tell the end of its session from other violations, such
   * as 4401: the code with which its connection is closed then.
   * @default 1008
   */
  readonly closeCode?: number
  /**
   * Set this when proxies of yours are in front: how many, so that the client's address, protocol and
   * host are taken from what they say. True is one.
   * @default 0
   */
  readonly trustProxy?: boolean | number
  /** Is told of every connection that was refused. */
  readonly onRefuse?: (refusal: Refusal) => void
}

/** A connection that was refused. */
export interface Refusal {
  readonly status: 401 | 403 | 503
  /** Why, for logs. The client is told the status alone. */
  readonly reason: string
  readonly request: IncomingMessage
  /** The error of a store that failed. */
  readonly error?: unknown
}

/** The options as they are in force. */
export interface Rules {
  readonly origins: OriginRules
  readonly needs: 'nothing' | 'session' | 'user'
  readonly keepAlive: boolean
  readonly checkMessages: boolean
  readonly every: number | undefined
  readonly closeCode: number
  readonly proxies: number
  readonly onRefuse: (refusal: Refusal) => void
}

const NAMES: readonly (keyof WebSocketOptions)[] = [
  'origins',
  'absentOrigin',
  'anonymous',
  'requireUser',
  'keepAlive',
  'checkMessages',
  'checkEvery',
  'closeCode',
  'trustProxy',
  'onRefuse',
]

/** @throws SessionError `ERR_SESSION_OPTION`, with what to do */
export function resolveRules(options: WebSocketOptions): Rules {
  refuseUnknownNames(options, NAMES, 'session()')
  const { checkEvery, anonymous = 'accept', absentOrigin = 'refuse' } = options
  return Object.freeze({
    origins: {
      listed: listedOrigins(options.origins ?? []),
      absent: choice(absentOrigin, 'absentOrigin'),
    },
    needs: needsOf(options.requireUser === true, choice(anonymous, 'anonymous')),
    keepAlive: options.keepAlive === true,
    checkMessages: options.checkMessages === true,
    every: checkEvery === undefined ? undefined : parseDuration(checkEvery, 'checkEvery'),
    closeCode: closeCodeOf(options.closeCode),
    proxies: Number(options.trustProxy ?? 0),
    onRefuse: options.onRefuse ?? (() => undefined),
  })
}

function needsOf(user: boolean, anonymous: 'refuse' | 'accept'): Rules['needs'] {
  if (user) return 'user'
  return anonymous === 'refuse' ? 'session' : 'nothing'
}

function choice(given: 'refuse' | 'accept', name: string): 'refuse' | 'accept' {
  if (given === 'refuse' || given === 'accept') return given
  throw wrong(`${name} must be 'refuse' or 'accept'.`)
}

// RFC 6455 section 7.4.2: 3000 to 4999 are free for libraries and applications.
function closeCodeOf(code: number = POLICY_VIOLATION): number {
  const free = Number.isInteger(code) && code >= 3000 && code <= 4999
  if (free || code === POLICY_VIOLATION) return code
  throw wrong('closeCode must be 1008, or from 3000 to 4999, such as 4401.')
}

function wrong(message: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', message)
}
