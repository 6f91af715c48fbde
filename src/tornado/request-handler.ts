import { SessionError } from '../errors.ts'
import type { UploadedFile } from './body.ts'
import { escapeHtml } from './escape.ts'
import { MissingArgumentError } from './http-error.ts'
import { argumentText } from './request-arguments.ts'
import type { ArgumentLists } from './request-arguments.ts'
import { ResponseHandler } from './response-handler.ts'
import { XsrfGuard } from './xsrf-guard.ts'

/**
 * One request, answered by a class: extend it and give it methods named as HTTP's, `get`, `head`,
 * `post`, `put`, `delete`, `patch` and `options`; they may be async. A method that the class does not
 * have is answered 405. The groups of the route are their arguments; named groups come as one object.
 *
 * Order: `initialize`, the body is read, the session is opened, the xsrf token is checked, `prepare`,
 * the method, the session is stored, the response leaves, `onFinish`.
 *
 * @example
 * class IndexHandler extends SessionMixin(RequestHandler) {
 *   get() {
 *     this.session.set('login', this.getArgument('name'))
 *     this.write('index get ok!')
 *   }
 * }
 */
export abstract class RequestHandler extends ResponseHandler {
  readonly #xsrf = new XsrfGuard(this)
  #currentUser: { readonly user: unknown } | undefined

  /** Override this to take the third element of the route. */
  initialize(_options: Readonly<Record<string, unknown>>): void {}

  /** Runs before the method, for every method. If it finishes the response, the method is left out. */
  prepare(): void | Promise<void> {}

  /** Runs after the response has left. Nothing can be answered any more. */
  onFinish(): void | Promise<void> {}

  /**
   * An argument of the query or of a form in the body; of several the last, those of the body after
   * those of the query. Control characters are spaces; it is trimmed unless `strip` is false.
   *
   * @throws HttpError 400 if it is missing and there is no fallback, or is not UTF-8
   */
  getArgument(name: string): string
  getArgument<F>(name: string, fallback: F, strip?: boolean): string | F
  getArgument(name: string, ...rest: [fallback?: unknown, strip?: boolean]): unknown {
    return lastOf(this.getArguments(name, rest[1]), name, rest)
  }

  /** All values of an argument, those of the query first. */
  getArguments(name: string, strip = true): string[] {
    return [...this.getQueryArguments(name, strip), ...this.getBodyArguments(name, strip)]
  }

  /** An argument of the query; see `getArgument`. */
  getQueryArgument(name: string): string
  getQueryArgument<F>(name: string, fallback: F, strip?: boolean): string | F
  getQueryArgument(name: string, ...rest: [fallback?: unknown, strip?: boolean]): unknown {
    return lastOf(this.getQueryArguments(name, rest[1]), name, rest)
  }

  getQueryArguments(name: string, strip = true): string[] {
    return textsOf(this.request.queryArguments, name, strip)
  }

  /** An argument of a form in the body; see `getArgument`. JSON is not a form: see `request.body`. */
  getBodyArgument(name: string): string
  getBodyArgument<F>(name: string, fallback: F, strip?: boolean): string | F
  getBodyArgument(name: string, ...rest: [fallback?: unknown, strip?: boolean]): unknown {
    return lastOf(this.getBodyArguments(name, rest[1]), name, rest)
  }

  getBodyArguments(name: string, strip = true): string[] {
    return textsOf(this.request.bodyArguments, name, strip)
  }

  /** The files of a multipart form, by the name of their field. */
  get files(): ReadonlyMap<string, readonly UploadedFile[]> {
    return this.request.files
  }

  /** What `getCurrentUser` answered the first time in this request, or what was set since. */
  get currentUser(): ReturnType<this['getCurrentUser']> {
    this.#currentUser ??= { user: this.getCurrentUser() }
    return this.#currentUser.user as ReturnType<this['getCurrentUser']>
  }

  set currentUser(user: unknown) {
    this.#currentUser = { user }
  }

  /** Override this to say who is logged in. With `SessionMixin` it is `session.user`. */
  getCurrentUser(): unknown {
    return undefined
  }

  /** Where `authenticated` sends visitors: the setting `loginUrl`. */
  getLoginUrl(): string {
    const { loginUrl } = this.settings
    if (loginUrl !== undefined) return loginUrl
    throw new SessionError(
      'ERR_SESSION_OPTION',
      'authenticated needs to know where visitors log in. Set loginUrl, or override getLoginUrl().',
    )
  }

  /**
   * The token that forms send as `_xsrf`, or scripts in the header `X-Xsrftoken`: another text in
   * every response. Asking for it sets the cookie that it is compared with.
   */
  get xsrfToken(): string {
    return this.#xsrf.token()
  }

  /** A hidden field with the token, for a form. */
  xsrfFormHtml(): string {
    return `<input type="hidden" name="_xsrf" value="${escapeHtml(this.xsrfToken)}"/>`
  }

  /**
   * Runs before `prepare` for every method but GET, HEAD and OPTIONS when `xsrfCookies` is on.
   * Override it for requests that prove in another way that they were meant.
   *
   * @throws HttpError 403
   */
  checkXsrfCookie(): void {
    this.#xsrf.check()
  }

  /** The path of the route with this name, with the values in place of its groups. */
  reverseUrl(name: string, ...values: readonly unknown[]): string {
    return this.application.reverseUrl(name, ...values)
  }
}

/** A class of handlers, as a route names it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type HandlerClass = new (...args: any[]) => RequestHandler

function textsOf(lists: ArgumentLists, name: string, strip: boolean): string[] {
  return (lists.get(name) ?? []).map((value) => argumentText(name, value, strip))
}

function lastOf(texts: string[], name: string, rest: readonly unknown[]): unknown {
  if (texts.length > 0) return texts.at(-1)
  if (rest.length === 0) throw new MissingArgumentError(name)
  return rest[0]
}
