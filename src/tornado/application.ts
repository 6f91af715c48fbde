import type { IncomingMessage, ServerResponse } from 'node:http'
import { SessionError } from '../errors.ts'
import { sessionsFor } from './engines.ts'
import { HttpError } from './http-error.ts'
import { HttpRequest } from './http-request.ts'
import { runRequest } from './lifecycle.ts'
import { logRequest } from './log.ts'
import { RequestHandler } from './request-handler.ts'
import type { HandlerClass } from './request-handler.ts'
import { compileRoute, matchRoute, reverseRoute } from './routes.ts'
import type { CompiledRoute, PathArguments } from './routes.ts'
import { GracefulServer } from './server.ts'
import type { Listening } from './server.ts'
import type { AnySessionManager } from './session-attachment.ts'
import { needsSession } from './session-mixin.ts'
import { checkSettings } from './settings.ts'
import type { HandlerApplication, Settings } from './settings.ts'

/**
 * A route: a regular expression for the whole path (as it came, percent-encoded), the class that
 * answers, options for its `initialize`, and a name for `reverseUrl`.
 */
export type Route = readonly [
  pattern: string | RegExp,
  handler: HandlerClass,
  options?: Readonly<Record<string, unknown>>,
  name?: string,
]

interface Target {
  readonly handler: HandlerClass
  readonly options: Readonly<Record<string, unknown>>
}

const MAX_BODY_SIZE = 10_485_760
const PATIENCE = 10_000

/**
 * Routes, settings and sessions of one program.
 *
 * @example
 * const app = new Application([['/', IndexHandler], ['/detail', DetailHandler]], {
 *   cookieSecret: process.env.SESSION_SECRET,
 *   pycket: { engine: 'embedded', cookies: { expiresDays: 2 } },
 * })
 * await app.listen(8888)
 */
export class Application implements HandlerApplication {
  readonly settings: Settings
  readonly #routes: readonly CompiledRoute<Target>[]
  readonly #sessions: AnySessionManager | undefined
  readonly #servers = new Set<GracefulServer>()
  #closed: Promise<void> | undefined

  /**
   * @param routes - the first one that matches answers
   * @throws SessionError `ERR_SESSION_OPTION` or `ERR_SESSION_SECRET`: mistakes show here, not in the
   * first request
   */
  constructor(routes: readonly Route[], settings: Settings = {}) {
    checkSettings(settings)
    this.settings = settings
    this.#routes = routes.map(compile)
    this.#sessions = sessionsFor(
      settings,
      routes.some(([, handler]) => needsSession(handler)),
    )
  }

  get sessions(): AnySessionManager | undefined {
    return this.#sessions
  }

  /**
   * Accepts requests, once the store can be used.
   *
   * @param port - 0 for any free one
   * @param address - who can reach it: this machine only, unless you give `'0.0.0.0'` or another
   * @throws SessionError in one line: the port cannot be had, or the store cannot be reached
   */
  async listen(port: number, address = '127.0.0.1'): Promise<Listening> {
    await this.#sessions?.ready()
    const server = new GracefulServer((message, response) => this.handle(message, response))
    const listening = await server.listen(port, address)
    this.#servers.add(server)
    return listening
  }

  /**
   * Lets requests that run come to their end (10 s at most), ends idle connections, then closes the
   * store. A manager given as `sessions` stays open.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Answers one request of any server of node:http or node:https. Never throws. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const begun = performance.now()
    try {
      await this.#answer(message, response, begun)
    } catch (error) {
      this.#answerWithout(error, message, response, begun)
    }
  }

  /**
   * The path of the route with this name, with the values in place of its groups.
   *
   * @throws SessionError `ERR_SESSION_MISUSE` if there is no such route, or its groups are others
   */
  reverseUrl(name: string, ...values: readonly unknown[]): string {
    const route = this.#routes.find((one) => one.name === name)
    if (route !== undefined) return reverseRoute(route, values)
    throw new SessionError('ERR_SESSION_MISUSE', `There is no route named '${name}'.`)
  }

  async #answer(message: IncomingMessage, response: ServerResponse, begun: number): Promise<void> {
    const request = new HttpRequest(message, response, this.settings.xheaders === true)
    const { target, pathArguments } = this.#find(request.path)
    const handler = new target.handler(this, request)
    const { options } = target
    const maxBodySize = this.settings.maxBodySize ?? MAX_BODY_SIZE
    const core = await runRequest(handler, { options, pathArguments, maxBodySize })
    const reason = core.message === undefined ? {} : { message: core.message }
    this.#log(request, core.output.status, begun, { ...reason, errors: core.errors })
  }

  #find(path: string): { target: Target; pathArguments: () => PathArguments } {
    for (const route of this.#routes) {
      const pathArguments = matchRoute(route, path)
      if (pathArguments !== undefined) return { target: route.target, pathArguments }
    }
    return NOT_FOUND
  }

  // There is no handler: the request is beyond reading, or the class cannot be constructed.
  #answerWithout(
    error: unknown,
    message: IncomingMessage,
    response: ServerResponse,
    begun: number,
  ): void {
    const status = error instanceof HttpError ? error.status : 500
    if (!response.headersSent) response.writeHead(status, { 'Content-Type': 'text/plain' })
    response.end()
    const [path = ''] = (message.url ?? '').split('?', 1)
    const who = { method: message.method ?? '', path, remoteIp: message.socket.remoteAddress ?? '' }
    this.#log(who, status, begun, { errors: error instanceof HttpError ? [] : [error] })
  }

  #log(
    { method, path, remoteIp }: { method: string; path: string; remoteIp: string },
    status: number,
    begun: number,
    outcome: { readonly message?: string; readonly errors: readonly unknown[] },
  ): void {
    const duration = performance.now() - begun
    logRequest({ method, path, status, remoteIp, duration, ...outcome }, this.settings.logFunction)
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#servers].map((server) => server.close(PATIENCE)))
    if (this.settings.sessions === undefined) await this.#sessions?.close()
  }
}

function compile([pattern, handler, options = {}, name]: Route): CompiledRoute<Target> {
  if (handler.prototype instanceof RequestHandler) {
    return compileRoute(pattern, { handler, options }, name)
  }
  const message = `The route '${String(pattern)}' needs a class that extends RequestHandler.`
  throw new SessionError('ERR_SESSION_OPTION', message)
}

class NotFoundHandler extends RequestHandler {
  override prepare(): void {
    throw new HttpError(404)
  }

  override checkXsrfCookie(): void {}
}

const NOT_FOUND = { target: { handler: NotFoundHandler, options: {} }, pathArguments: () => [] }
