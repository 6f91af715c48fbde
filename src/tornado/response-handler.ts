import type { CookieAttributes } from './cookies.ts'
import { formatSetCookie } from './cookies.ts'
import { HandlerCore, errorPage } from './handler-core.ts'
import type { ErrorDetails } from './handler-core.ts'
import { phraseOf } from './http-error.ts'
import type { HttpRequest } from './http-request.ts'
import type { HeaderValue } from './output.ts'
import { SessionError } from '../errors.ts'
import type { HandlerApplication, Settings } from './settings.ts'
import { readSigned, signFor } from './cookie-secret.ts'

let coreOf: (handler: ResponseHandler) => HandlerCore

/**
 * The half of a `RequestHandler` that answers: status, headers, cookies and body. The response is
 * buffered; it is sent when it is finished, and only after the session was stored.
 */
export abstract class ResponseHandler {
  readonly application: HandlerApplication
  readonly request: HttpRequest
  readonly #core: HandlerCore

  static {
    coreOf = (handler) => handler.#core
  }

  constructor(application: HandlerApplication, request: HttpRequest) {
    this.application = application
    this.request = request
    this.#core = new HandlerCore(request, this)
  }

  /** The settings of the application. */
  get settings(): Settings {
    return this.application.settings
  }

  /** Override this to set headers that every response of the class has, error pages too. */
  setDefaultHeaders(): void {}

  /** Forgets status, headers and body that were set. Cookies stay. */
  clear(): void {
    this.#core.clear()
  }

  /**
   * @param reason - replaces the standard phrase
   */
  setStatus(status: number, reason?: string): void {
    this.#core.output.setStatus(status, reason)
  }

  getStatus(): number {
    return this.#core.output.status
  }

  /** Sets a header; one that was set before is replaced. */
  setHeader(name: string, value: HeaderValue): void {
    this.#core.output.setHeader(name, value)
  }

  /** Adds a line to a header that may have several. */
  addHeader(name: string, value: HeaderValue): void {
    this.#core.output.addHeader(name, value)
  }

  clearHeader(name: string): void {
    this.#core.output.clearHeader(name)
  }

  /**
   * Adds to the body: text as UTF-8, bytes as they are, a plain object as JSON (with the content type
   * of JSON). The content type is HTML unless you set another: escape what came from outside.
   *
   * @throws SessionError `ERR_SESSION_MISUSE` for anything else, and after `finish`
   */
  write(chunk: string | Uint8Array | object): void {
    this.#core.write(chunk)
  }

  /**
   * Ends the response. It leaves when the code that is running now has come to its end and the
   * session is stored; the promise resolves then. A handler that returns is finished by itself.
   */
  finish(chunk?: string | Uint8Array | object): Promise<void> {
    if (chunk !== undefined) this.write(chunk)
    return this.#core.finish()
  }

  /**
   * Sends the client elsewhere and finishes.
   *
   * @param url - absolute, or relative to this one
   * @param permanent - 301 instead of 302
   * @param status - another status from 300 to 399
   */
  redirect(url: string, permanent = false, status: number = permanent ? 301 : 302): void {
    if (status < 300 || status > 399) {
      throw new SessionError('ERR_SESSION_MISUSE', 'The status of a redirect is from 300 to 399.')
    }
    this.setStatus(status)
    this.setHeader('Location', percentEncoded(url))
    void this.finish()
  }

  /** Answers with an error page instead of what was written. Cookies and session are kept. */
  sendError(status = 500, details: ErrorDetails = {}): void {
    this.#core.sendError(status, details)
  }

  /** Override this for error pages of your own. `details.error` is not for the client. */
  writeError(status: number, details: ErrorDetails): void {
    this.setHeader('Content-Type', 'text/html; charset=UTF-8')
    void this.finish(errorPage(status, details.reason ?? phraseOf(status)))
  }

  /** The value of a cookie of the request; never one that was set in this request. */
  getCookie(name: string): string | undefined
  getCookie<F>(name: string, fallback: F): string | F
  getCookie(name: string, fallback?: unknown): unknown {
    return this.request.cookies.get(name) ?? fallback
  }

  /**
   * Sets a cookie. Without `expires`, `expiresDays` or `maxAge` it ends with the browser.
   *
   * @throws SessionError `ERR_SESSION_MISUSE` for what a cookie cannot hold (white space, characters
   * above U+00FF): encode it first
   */
  setCookie(name: string, value: string, attributes: CookieAttributes = {}): void {
    this.#core.refuseIfFinished('setCookie')
    this.#core.output.setCookie(name, formatSetCookie(name, value, attributes, Date.now()))
  }

  /** Removes a cookie from the browser: `path` and `domain` as they were when it was set. */
  clearCookie(
    name: string,
    { path, domain }: Pick<CookieAttributes, 'path' | 'domain'> = {},
  ): void {
    this.setCookie(name, '', { path, domain, expiresDays: -365 })
  }

  /**
   * Sets a cookie that cannot be forged, in Tornado's format. It can be read by everybody. It is
   * HttpOnly and SameSite=Lax unless said otherwise, and Secure when the request came over https.
   *
   * @param attributes - `expiresDays` is 30 by default
   */
  setSignedCookie(name: string, value: string, attributes: CookieAttributes = {}): void {
    const signed = signFor(this.settings, name, value)
    const secure = this.request.protocol === 'https'
    const defaults = { expiresDays: 30, httpOnly: true, sameSite: 'lax', secure } as const
    this.setCookie(name, signed, { ...defaults, ...attributes })
  }

  /**
   * The text of a signed cookie of the request; undefined if there is none, if it was not signed with
   * a secret of ours, or if it is too old.
   *
   * @param maxAgeDays - whatever the cookie's own lifetime was
   */
  getSignedCookie(name: string, maxAgeDays = 31): string | undefined {
    return readSigned(this.settings, name, this.getCookie(name), maxAgeDays)
  }
}

// A URL is ASCII; what a browser would encode is encoded here.
function percentEncoded(url: string): string {
  return url.replace(/[^\x20-\x7e\r\n]+/g, (text) => encodeURIComponent(text.toWellFormed()))
}

export { coreOf }
