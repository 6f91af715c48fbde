import type { SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import { checkOptions } from './support/options.ts'
import { sessionGetter } from './support/request-session.ts'
import type { GetSession } from './support/request-session.ts'
import { attachWeb, failureResponse, finish } from './support/web.ts'
import type { WebOptions } from './support/web.ts'

/** How sessions are joined to fetch-style requests. */
export interface FetchOptions extends WebOptions<Request> {
  /**
   * Answers an error of the store or of the handler.
   * @default a process warning, and a short text with `error.status`
   */
  readonly onError?: (error: unknown, request: Request) => Response | Promise<Response>
}

/** What a handler gets after the session: what the server gave beside the request. */
type Rest = readonly unknown[]

/** Wraps a fetch-style handler, so that it has a session. */
export interface FetchSession<Given> {
  <More extends Rest>(
    handler: (request: Request, session: Given, ...more: More) => Response | Promise<Response>,
  ): (request: Request, ...more: More) => Promise<Response>
}

/**
 * Sessions for everything that maps a `Request` to a `Response`. The response of the handler is never
 * changed: another one with the session's headers takes its place, and a stream stays a stream. A
 * `Response` that is thrown counts as returned.
 *
 * @example
 * const withSession = session(sessions)
 * export const GET = withSession((request, session) => Response.json({ views: session.increment('views') }))
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options?: FetchOptions & { readonly lazy?: false; readonly skip?: never },
): FetchSession<Session<Data>>
/** With `lazy` or `skip` a request may have no session: `getSession` opens it. */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: FetchOptions,
): FetchSession<Session<Data> | undefined>
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: FetchOptions = {},
): FetchSession<never> {
  checkOptions(options, ['info', 'onError'])
  const onError = options.onError ?? warnAndAnswer
  return (handler) =>
    async (request, ...more) => {
      if (options.skip?.(request) === true) return handler(request, NONE, ...more)
      const kept = attachWeb(manager, request, () => options.info?.(request))
      const answer = async () => {
        const given = options.lazy === true ? undefined : await kept.open()
        return handler(request, given as never, ...more)
      }
      const response = await answer().catch((error: unknown) => thrown(error, request, onError))
      return finish(response, kept).catch((error: unknown) => onError(error, request))
    }
}

/** The session of a request that `session(manager)` was given. */
export const getSession: GetSession<Request> = sessionGetter((request) => request)

const NONE = undefined as never

function thrown(
  error: unknown,
  request: Request,
  onError: NonNullable<FetchOptions['onError']>,
): Response | Promise<Response> {
  return error instanceof Response ? error : onError(error, request)
}

function warnAndAnswer(error: unknown): Response {
  process.emitWarning(error instanceof Error ? error : String(error))
  return failureResponse(error)
}
