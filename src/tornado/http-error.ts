import { STATUS_CODES } from 'node:http'

/** What an `HttpError` may carry beside its status. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Replaces the standard phrase of the status, also on the error page. */
  readonly reason?: string | undefined
  /** More headers of the answer: `{ 'Retry-After': '120' }`. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Ends a request with a status. It is an answer, not an accident: what the request did to its
 * session is stored and cookies are sent.
 */
export class HttpError extends Error {
  override readonly name: string = 'HttpError'
  readonly status: number
  /** For the log only; the client never sees it. */
  readonly logMessage: string | undefined
  readonly reason: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number = 500, logMessage?: string, options: HttpErrorOptions = {}) {
    const { reason, headers = {}, ...rest } = options
    const title = `${status} ${reason ?? phraseOf(status)}`
    super(logMessage === undefined ? title : `${title}: ${logMessage}`, rest)
    this.status = status
    this.logMessage = logMessage
    this.reason = reason
    this.headers = headers
  }
}

/** An argument that the handler asked for without a fallback did not come: 400. */
export class MissingArgumentError extends HttpError {
  override readonly name: string = 'MissingArgumentError'
  readonly argument: string

  constructor(argument: string) {
    super(400, `the argument '${argument}' is missing`)
    this.argument = argument
  }
}

/** The standard phrase of a status; `Unknown` if it has none, as in Tornado. */
export function phraseOf(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown'
}
