/**
 * Every code a `SessionError` can carry. Codes are stable: test for them, never for messages.
 *
 * | code | what happened | `status` |
 * |---|---|---|
 * | `ERR_SESSION_OPTION` | an option is unknown, of the wrong type or contradicts another | 500 |
 * | `ERR_SESSION_SECRET` | the secret is missing, too short or a known example | 500 |
 * | `ERR_SESSION_NAME` | the name of a value cannot be stored | 500 |
 * | `ERR_SESSION_VALUE` | a value cannot be stored; the message says where in it and why | 500 |
 * | `ERR_SESSION_TOO_LARGE` | a value or a session is larger or deeper than the limits | 500 |
 * | `ERR_SESSION_NOT_A_NUMBER` | `increment` met a value that is not a safe integer | 500 |
 * | `ERR_SESSION_CONFLICT` | `update` lost the compare-and-set too often | 503 |
 * | `ERR_SESSION_DESTROYED` | the session was used after `destroy()` in the same request | 500 |
 * | `ERR_SESSION_HEADERS_SENT` | a session was begun or rotated after the headers had left | 500 |
 * | `ERR_SESSION_REQUIRED` | a method demands a session, or somebody who has logged in, and there is none | 401 |
 * | `ERR_SESSION_LIMIT` | the user has as many sessions as `maxPerUser` allows | 403 |
 * | `ERR_SESSION_STORE` | the store failed or cannot be reached; `cause` has its error | 503 |
 * | `ERR_SESSION_TIMEOUT` | the store did not answer before the deadline of the call | 503 |
 * | `ERR_SESSION_CORRUPT` | what is stored cannot be read; it is kept as it is | 500 |
 * | `ERR_SESSION_VERSION` | the record was written by a newer version; it is kept as it is | 503 |
 * | `ERR_SESSION_CLOSED` | the manager or the store was closed before the call | 503 |
 * | `ERR_SESSION_UNSUPPORTED` | the store does not have the capability that the call needs | 500 |
 * | `ERR_SESSION_MISUSE` | an adapter or a handler was used in a way that cannot work | 500 |
 */
export type SessionErrorCode =
  | 'ERR_SESSION_OPTION'
  | 'ERR_SESSION_SECRET'
  | 'ERR_SESSION_NAME'
  | 'ERR_SESSION_VALUE'
  | 'ERR_SESSION_TOO_LARGE'
  | 'ERR_SESSION_NOT_A_NUMBER'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_DESTROYED'
  | 'ERR_SESSION_HEADERS_SENT'
  | 'ERR_SESSION_REQUIRED'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_SESSION_STORE'
  | 'ERR_SESSION_TIMEOUT'
  | 'ERR_SESSION_CORRUPT'
  | 'ERR_SESSION_VERSION'
  | 'ERR_SESSION_CLOSED'
  | 'ERR_SESSION_UNSUPPORTED'
  | 'ERR_SESSION_MISUSE'

const UNAVAILABLE: ReadonlySet<SessionErrorCode> = new Set([
  'ERR_SESSION_CONFLICT',
  'ERR_SESSION_STORE',
  'ERR_SESSION_TIMEOUT',
  'ERR_SESSION_VERSION',
  'ERR_SESSION_CLOSED',
])

/**
 * The one error class of sojourn. Test with `error.code === 'ERR_SESSION_…'` (stable, and right even
 * when two copies of the package are loaded) or with `isSessionError(error)`.
 *
 * No message ever holds a cookie, a token, a secret or a stored value.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  /** What happened; see {@link SessionErrorCode}. */
  readonly code: SessionErrorCode
  /** The HTTP status that fits: 503 when trying again may help, 401 and 403 as listed, else 500. */
  readonly status: number

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = statusOf(code)
  }

  /** The same as `status`, under the name that Fastify and http-errors read. */
  get statusCode(): number {
    return this.status
  }

  /** Never shown to a client by the error handlers of Koa and Nest, which ask for this name. */
  get expose(): boolean {
    return false
  }
}

/** True for a `SessionError` of this or another copy of the package. */
export function isSessionError(error: unknown): error is SessionError {
  return error instanceof Error && error.name === 'SessionError' && 'code' in error
}

function statusOf(code: SessionErrorCode): number {
  if (UNAVAILABLE.has(code)) return 503
  if (code === 'ERR_SESSION_REQUIRED') return 401
  return code === 'ERR_SESSION_LIMIT' ? 403 : 500
}
