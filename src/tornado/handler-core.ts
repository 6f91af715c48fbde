import { SessionError, isSessionError } from '../errors.ts'
import { HttpError, phraseOf } from './http-error.ts'
import type { HttpRequest } from './http-request.ts'
import { escapeHtml } from './escape.ts'
import { Output } from './output.ts'

/** A header to append to a response. */
export type HeaderLine = readonly [name: string, value: string]

/** What takes part in a request beside its handler: the session. */
export interface Participant {
  /** Before `prepare`; the second time it does nothing. */
  open(): Promise<void>
  /** Before the headers leave. When it throws, the response is an error instead. */
  commit(): Promise<readonly HeaderLine[]>
  /** The headers have left. */
  seal(): void
  /** After the handler has ended: stores what came after the headers. */
  settle(): Promise<void>
  /** The handler failed: what it did is not to be stored. */
  abandon(): void
}

/** What the core needs of its handler. */
export interface ErrorPage {
  setDefaultHeaders(): void
  writeError(status: number, details: ErrorDetails): void
}

/** What an error page is about. */
export interface ErrorDetails {
  /** The exception, if there was one. Its message is not for the client. */
  readonly error?: unknown
  /** Replaces the standard phrase of the status. */
  readonly reason?: string | undefined
}

/** The life of one response: it is buffered, finished once, and sent after the session is stored. */
export class HandlerCore {
  readonly request: HttpRequest
  readonly output: Output = new Output()
  /** Exceptions of this request, for its log entry. */
  readonly errors: unknown[] = []
  /** Why the request was refused, for its log entry. */
  message: string | undefined
  participant: Participant | undefined
  readonly #page: ErrorPage
  #finished = false
  #delivery: Promise<void> | undefined

  constructor(request: HttpRequest, page: ErrorPage) {
    this.request = request
    this.#page = page
  }

  get finished(): boolean {
    return this.#finished
  }

  /** Resolves when the response was handed to the connection. */
  get delivered(): Promise<void> {
    return this.#delivery ?? Promise.resolve()
  }

  /** The start of a response: nothing but default headers, and cookies that were set. */
  clear(): void {
    this.output.reset()
    this.output.setHeader('Content-Type', 'text/html; charset=UTF-8')
    this.#page.setDefaultHeaders()
  }

  write(chunk: unknown): void {
    this.refuseIfFinished('write')
    if (typeof chunk === 'string') return this.output.write(Buffer.from(chunk, 'utf8'))
    if (chunk instanceof Uint8Array) return this.output.write(Buffer.from(chunk))
    if (!isPlainObject(chunk)) throw unwritable(chunk)
    // A page that holds this in a script element must not be ended by it.
    const json = JSON.stringify(chunk).replaceAll('</', '<\\/')
    this.output.setHeader('Content-Type', 'application/json; charset=UTF-8')
    this.output.write(Buffer.from(json, 'utf8'))
  }

  finish(): Promise<void> {
    this.refuseIfFinished('finish')
    this.output.check()
    this.#finished = true
    this.#delivery ??= this.#deliver()
    return this.#delivery
  }

  refuseIfFinished(what: string): void {
    if (!this.#finished) return
    throw new SessionError(
      'ERR_SESSION_MISUSE',
      `${what}() came after the response was finished. Return after finish(), redirect() and sendError().`,
    )
  }

  /** Answers with an error page instead of what was written; cookies that were set are kept. */
  sendError(status: number, details: ErrorDetails): void {
    this.refuseIfFinished('sendError')
    this.message ??= details.error instanceof HttpError ? details.error.logMessage : undefined
    try {
      this.#startPage(status, details)
      this.#page.writeError(status, details)
      if (!this.#finished) void this.finish()
    } catch (error) {
      this.errors.push(error)
      if (!this.#finished) this.#writePlainPage(status)
    }
  }

  /** Answers with what an exception stands for. What is no answer is an accident: nothing is stored. */
  fail(error: unknown): void {
    if (this.#finished) return void this.errors.push(error)
    const { status, reason, isAnswer } = answerOf(error)
    if (!isAnswer) {
      this.errors.push(error)
      this.participant?.abandon()
    }
    this.sendError(status, { error, reason })
  }

  /** Stores what the handler did after the headers had left. */
  async settle(): Promise<void> {
    try {
      await this.participant?.settle()
    } catch (error) {
      this.errors.push(error)
    }
  }

  async #deliver(): Promise<void> {
    // What the handler does to its session in this turn, after finish(), still belongs to it.
    await Promise.resolve()
    try {
      this.output.append((await this.participant?.commit()) ?? [])
    } catch (error) {
      this.#answerUnstored(error)
    }
    this.#send()
    this.participant?.seal()
  }

  #send(): void {
    try {
      this.output.send(this.request)
    } catch (error) {
      this.errors.push(error)
      this.request.response.destroy()
    }
  }

  // The response was written as if the session were stored, and it is not.
  #answerUnstored(error: unknown): void {
    this.errors.push(error)
    this.participant?.abandon()
    this.output.clearCookies()
    this.#finished = false
    const { status, reason } = answerOf(error)
    this.sendError(status, { error, reason })
    this.output.clearCookies()
  }

  #startPage(status: number, { error, reason }: ErrorDetails): void {
    this.clear()
    this.output.setStatus(status, reason)
    if (status >= 500) this.output.setHeader('Cache-Control', 'no-store')
    if (!(error instanceof HttpError)) return
    for (const [name, value] of Object.entries(error.headers)) this.output.setHeader(name, value)
  }

  #writePlainPage(status: number): void {
    this.output.reset()
    this.output.setStatus(status, undefined)
    this.output.setHeader('Content-Type', 'text/html; charset=UTF-8')
    this.output.write(Buffer.from(errorPage(status, phraseOf(status))))
    void this.finish()
  }
}

/** Tornado's page for an error: status and phrase, nothing of the cause. */
export function errorPage(status: number, reason: string): string {
  const text = `${status}: ${escapeHtml(reason)}`
  return `<html><title>${text}</title><body>${text}</body></html>`
}

interface Answer {
  readonly status: number
  readonly reason?: string | undefined
  readonly isAnswer: boolean
}

function answerOf(error: unknown): Answer {
  if (error instanceof HttpError) {
    const { status, reason } = error
    return { status, reason, isAnswer: true }
  }
  return { status: isSessionError(error) ? error.status : 500, isAnswer: false }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function unwritable(chunk: unknown): SessionError {
  const what = Array.isArray(chunk) ? 'an array' : nameOf(chunk)
  return new SessionError(
    'ERR_SESSION_MISUSE',
    `write() takes text, bytes or a plain object (sent as JSON), not ${what}. Make text of it, or wrap it in an object.`,
  )
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return `a ${value.constructor?.name ?? 'object'}`
}
