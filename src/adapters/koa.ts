import type { Context, Middleware } from 'koa'
import type { SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import { attachSession } from './support/attach.ts'
import { infoOf } from './support/node-request.ts'
import { checkOptions } from './support/options.ts'
import type { AdapterOptions } from './support/options.ts'
import { showSession } from './support/property.ts'
import { sessionGetter } from './support/request-session.ts'
import type { GetSession } from './support/request-session.ts'

declare module 'koa' {
  interface DefaultContext {
    /** The session of this request. */
    session: Session
  }
}

/** How sessions are joined to the requests of Koa. */
export interface KoaOptions extends AdapterOptions<Context> {}

/**
 * Sessions for Koa 3, as `context.session`. What the request did is stored when the middlewares below
 * have run, so that an error of the store can be caught above; and in any case before the first byte,
 * also with `context.respond = false` and for the response to an error.
 *
 * @example
 * app.use(session(sessions))
 * app.use((context) => { context.body = `view ${context.session.increment('views')}` })
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: KoaOptions = {},
): Middleware {
  checkOptions(options)
  return async (context, next) => {
    if (options.skip?.(context) === true) return void (await next())
    const attached = attachSession(manager, context.req, context.res, {
      info: () => infoOfContext(context),
      fail: (error) => context.onerror(asError(error)),
    })
    showSession(context, attached)
    const opening = options.lazy === true ? undefined : attached.openNow()
    if (opening instanceof Promise) await opening
    await next()
    await attached.commit()
  }
}

/** The session of a context that `session(manager)` was given. */
export const getSession: GetSession<Pick<Context, 'req'>> = sessionGetter(({ req }) => req)

function infoOfContext({ ip, secure, host, req }: Context) {
  return infoOf({ address: ip, secure, host, userAgent: req.headers['user-agent'] })
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
