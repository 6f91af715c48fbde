import type { Context, MiddlewareHandler } from 'hono'
import type { SessionManager } from '../manager.ts'
import type { DefaultData } from '../session-data.ts'
import type { Session } from '../session.ts'
import { checkOptions } from './support/options.ts'
import { sessionGetter } from './support/request-session.ts'
import type { GetSession } from './support/request-session.ts'
import { attachWeb, failureResponse, finish } from './support/web.ts'
import type { WebOptions } from './support/web.ts'

/** How sessions are joined to the requests of Hono. */
export interface HonoOptions extends WebOptions<Context> {}

/** The environment of an application with sessions: `new Hono<SessionEnv>()`. */
export interface SessionEnv<Data extends object = DefaultData> {
  Variables: { session: Session<Data> }
}

/**
 * Sessions for Hono 4, as `c.var.session`. Chained to the application, the middleware brings the type
 * of the data with it. An error of the store goes to `onError`; without one it is answered with its
 * status.
 *
 * @example
 * const app = new Hono()
 *   .use(session(sessions))
 *   .get('/', (c) => c.text(`view ${c.var.session.increment('views')}`))
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: HonoOptions = {},
): MiddlewareHandler<SessionEnv<Data>> {
  checkOptions(options, ['info'])
  return async (c, next) => {
    if (options.skip?.(c) === true) return next()
    const kept = attachWeb(manager, c.req.raw, () => options.info?.(c))
    try {
      if (options.lazy !== true) c.set('session', await kept.open())
      await next()
      const finished = await finish(c.res, kept)
      if (finished !== c.res) replace(c, finished)
    } catch (error) {
      replace(c, undefined)
      throw answerable(error)
    }
  }
}

/** The session of a context that `session(manager)` was given. */
export const getSession: GetSession<Pick<Context, 'req'>> = sessionGetter(({ req }) => req.raw)

// Setting a response beside another one would mix their headers.
function replace(c: Context, response: Response | undefined): void {
  c.res = undefined
  if (response !== undefined) c.res = response
}

// Hono asks an error for its response before it makes one of its own.
function answerable(error: unknown): unknown {
  if (!(error instanceof Error) || 'getResponse' in error) return error
  return Object.defineProperty(error, 'getResponse', { value: () => failureResponse(error) })
}
