import { HttpError } from './http-error.ts'
import type { RequestHandler } from './request-handler.ts'

/**
 * A method for visitors who have logged in (`currentUser`). Others are sent to `getLoginUrl()` with
 * `?next=` this address for GET and HEAD, and get 403 for everything else. The login handler must not
 * follow a `next` that leads to another site.
 *
 * It wraps a function, and is a standard decorator: `@authenticated get() { … }`.
 *
 * @example
 * class ProfileHandler extends SessionMixin(RequestHandler) {
 *   get = authenticated(function (this: ProfileHandler) {
 *     this.write(`hello ${this.session.user}`)
 *   })
 * }
 */
export function authenticated<This extends RequestHandler, Args extends unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
  context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Result>,
): (this: This, ...args: Args) => Result
export function authenticated<This extends RequestHandler, Args extends unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
): (this: This, ...args: Args) => Result | undefined
export function authenticated<This extends RequestHandler, Args extends unknown[]>(
  method: (this: This, ...args: Args) => unknown,
): (this: This, ...args: Args) => unknown {
  return function (this: This, ...args: Args) {
    if (this.currentUser) return method.apply(this, args)
    const { request } = this
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new HttpError(403)
    this.redirect(loginUrlFor(this))
    return undefined
  }
}

function loginUrlFor(handler: RequestHandler): string {
  const url = handler.getLoginUrl()
  if (url.includes('?')) return url
  const { request } = handler
  // A login page elsewhere needs to know where this is.
  const next = /^(?:[a-z][a-z0-9+.-]*:)?\/\//i.test(url) ? request.fullUrl() : request.uri
  return `${url}?next=${encodeURIComponent(next)}`
}
