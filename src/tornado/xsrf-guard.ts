import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { CookieAttributes } from './cookies.ts'
import { HttpError } from './http-error.ts'
import type { HttpRequest } from './http-request.ts'
import type { Settings } from './settings.ts'
import { XSRF_TOKEN_BYTES, decodeXsrfToken, encodeXsrfToken } from './xsrf.ts'

/** What the guard needs of a handler. */
export interface XsrfHandler {
  readonly request: HttpRequest
  readonly settings: Settings
  getArgument<F>(name: string, fallback: F): string | F
  getCookie(name: string): string | undefined
  setCookie(name: string, value: string, attributes?: CookieAttributes): void
}

/**
 * Tornado's protection against forged requests: the same token in a cookie and in the request. Beyond
 * Tornado a browser's word on where the request comes from has to fit, and tokens that were planted
 * short are refused.
 */
export class XsrfGuard {
  readonly #handler: XsrfHandler
  #text: string | undefined

  constructor(handler: XsrfHandler) {
    this.#handler = handler
  }

  /** The token of this response, under a mask of its own. The cookie is set if there was none. */
  token(): string {
    this.#text ??= this.#newText()
    return this.#text
  }

  /** @throws HttpError 403 */
  check(): void {
    const { request, settings } = this.#handler
    if (!isSameOrigin(request.headers, request.host, settings.xsrfTrustedOrigins ?? [])) {
      throw new HttpError(403, 'the request comes from a page of another origin')
    }
    const given = this.#given()
    if (given === undefined) throw new HttpError(403, "the argument '_xsrf' is missing")
    const expected = this.#known()
    const token = usable(decodeXsrfToken(given)?.token)
    if (expected === undefined || token === undefined || !isSame(token, expected)) {
      throw new HttpError(403, 'the xsrf token does not match the cookie')
    }
  }

  #newText(): string {
    const known = this.#known()
    const token = known ?? randomBytes(XSRF_TOKEN_BYTES)
    const text = encodeXsrfToken(token, randomBytes(4), Math.floor(Date.now() / 1000))
    if (known === undefined) this.#setCookie(text)
    return text
  }

  // Scripts of the page may read it: that is how they send it.
  #setCookie(text: string): void {
    const { request, settings } = this.#handler
    const attributes = { sameSite: 'lax', secure: request.protocol === 'https' } as const
    this.#handler.setCookie(this.#cookieName(), text, {
      ...attributes,
      ...settings.xsrfCookieKwargs,
    })
  }

  #known(): Buffer | undefined {
    const text = this.#handler.getCookie(this.#cookieName())
    return text === undefined ? undefined : usable(decodeXsrfToken(text)?.token)
  }

  #given(): string | undefined {
    const { headers } = this.#handler.request
    const header = headers['x-xsrftoken'] ?? headers['x-csrftoken']
    const text = this.#handler.getArgument('_xsrf', undefined) ?? header
    return typeof text === 'string' && text !== '' ? text : undefined
  }

  #cookieName(): string {
    return this.#handler.settings.xsrfCookieName ?? '_xsrf'
  }
}

function usable(token: Buffer | undefined): Buffer | undefined {
  return token !== undefined && token.length >= XSRF_TOKEN_BYTES ? token : undefined
}

function isSame(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}

// Programs other than browsers send neither header; for them the token alone decides.
function isSameOrigin(
  headers: IncomingHttpHeaders,
  host: string,
  trusted: readonly string[],
): boolean {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return true
  if (origin === undefined) return site === undefined
  return trusted.includes(origin) || hostOf(origin) === host.toLowerCase()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
