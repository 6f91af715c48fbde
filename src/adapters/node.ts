import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { RequestInfo, SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import { answerPlainly } from './hold/failure.ts'
import { attachSession } from './support/attach.ts'
import { checkOptions } from './support/options.ts'
import { connectionInfo, forwardedInfo } from './support/node-request.ts'
import { sessionGetter } from './support/request-session.ts'
import type { GetSession } from './support/request-session.ts'

/** A request of `node:http` or `node:http2`. */
export type NodeHttpRequest = IncomingMessage | Http2ServerRequest
/** A response of `node:http` or `node:http2`. */
export type NodeHttpResponse = ServerResponse | Http2ServerResponse

/** How sessions are joined to the requests of a Node server. */
export interface NodeOptions {
  /**
   * Set this when proxies of yours are in front: how many, so that the client's address, protocol and
   * host are taken from what they say. True is one.
   * @default 0
   */
  readonly trustProxy?: boolean | number
  /**
   * Set this when most requests do not use the session: it is opened by the first
   * `await getSession(request)`, and a request without one costs no store call.
   * @default false
   */
  readonly lazy?: boolean
  /** Set this when some requests never use the session, such as those for files. */
  readonly skip?: (request: NodeHttpRequest) => boolean
  /**
   * Is told of errors: of the store, of the handler. A response that has not begun is answered with
   * `error.status` and a short text, another one is cut off.
   * @default a process warning
   */
  readonly onError?: (error: unknown) => void
}

type Exchange<Request, Response> = (request: Request, response: Response) => void

/** Wraps a handler, so that it has a session. */
export interface NodeSession<Given> {
  <Request extends NodeHttpRequest, Response extends NodeHttpResponse>(
    handler: (request: Request, response: Response, session: Given) => unknown,
  ): Exchange<Request, Response>
}

/**
 * Sessions for `node:http`, `node:https` and `node:http2` (compatibility API).
 *
 * @example
 * const withSession = session(sessions)
 * createServer(withSession((request, response, session) => {
 *   response.end(`view ${session.increment('views')}`)
 * }))
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options?: NodeOptions & { readonly lazy?: false; readonly skip?: never },
): NodeSession<Session<Data>>
/** With `lazy` or `skip` a request may have no session: `getSession` opens it. */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: NodeOptions,
): NodeSession<Session<Data> | undefined>
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: NodeOptions = {},
): NodeSession<never> {
  checkOptions(options, ['trustProxy', 'onError'])
  const open = opener(manager, options)
  const report = options.onError ?? warn
  return (handler) => async (request, response) => {
    try {
      const opening = open(request, response)
      const opened = opening instanceof Promise ? await opening : opening
      await handler(request, response, opened as never)
    } catch (error) {
      report(error)
      refuse(response, error)
    }
  }
}

/**
 * Opens the session of a request and holds its response until what the request did is stored. For
 * servers that call it themselves, in a statement before those that write the response; then the errors
 * are theirs too.
 *
 * @throws SessionError with status 503 if the store fails
 */
export function attach<Data extends object>(
  manager: SessionManager<Data>,
  request: NodeHttpRequest,
  response: NodeHttpResponse,
  options: Pick<NodeOptions, 'trustProxy'> = {},
): Promise<Session<Data>> {
  return attachSession(manager, request, response, { info: informer(request, options) }).open()
}

/** The session of a request that `session(manager)` or `attach` was given. */
export const getSession: GetSession<NodeHttpRequest> = sessionGetter((request) => request)

function opener<Data extends object>(manager: SessionManager<Data>, options: NodeOptions) {
  return (
    request: NodeHttpRequest,
    response: NodeHttpResponse,
  ): Session<Data> | Promise<Session<Data>> | undefined => {
    if (options.skip?.(request) === true) return undefined
    const attached = attachSession(manager, request, response, { info: informer(request, options) })
    return options.lazy === true ? undefined : attached.openNow()
  }
}

function informer(
  request: NodeHttpRequest,
  { trustProxy }: Pick<NodeOptions, 'trustProxy'>,
): () => RequestInfo {
  const proxies = Number(trustProxy ?? 0)
  return () => (proxies > 0 ? forwardedInfo(request, proxies) : connectionInfo(request))
}

function refuse(response: NodeHttpResponse, error: unknown): void {
  if (!response.headersSent) answerPlainly(response, error)
  else if (!response.writableEnded) response.destroy()
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
