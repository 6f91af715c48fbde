import type { AnyElysia, Elysia } from 'elysia'
import type { SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import { statusOf } from './hold/failure.ts'
import { checkOptions } from './support/options.ts'
import { keptWith, sessionGetter } from './support/request-session.ts'
import type { GetSession } from './support/request-session.ts'
import { attachWeb, failureResponse, finish } from './support/web.ts'
import type { WebOptions } from './support/web.ts'

/** How sessions are joined to the requests of Elysia. */
export interface ElysiaOptions extends WebOptions<Request> {}

/** An application of Elysia whose handlers have this beside what they had. */
export type ElysiaWith<Added extends Record<string, unknown>> = Elysia<
  '',
  { decorator: {}; store: {}; derive: Added; resolve: {} }
>

/** A plugin of Elysia: `app.use(plugin)`. */
export type ElysiaPlugin<Added extends Record<string, unknown>> = (
  app: AnyElysia,
) => ElysiaWith<Added>

/**
 * Sessions for Elysia, as `session` in the context; the type of the data flows with it. An error of the
 * store goes to `onError`, with status 503. Use it on the application that serves: it applies to every
 * route of it.
 *
 * @example
 * new Elysia().use(session(sessions)).get('/', ({ session }) => `view ${session.increment('views')}`)
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options?: ElysiaOptions & { readonly lazy?: false },
): ElysiaPlugin<{ session: Session<Data> }>
/** With `lazy` there is no `session` in the context: `getSession` opens it. */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: ElysiaOptions & { readonly lazy: true },
): ElysiaPlugin<{}>
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: ElysiaOptions = {},
): (app: AnyElysia) => AnyElysia {
  checkOptions(options, ['info'])
  return (app) => {
    app.wrap((handle) => (request: Request, ...more: unknown[]) => {
      const go = () => handle(request, ...more)
      return options.skip?.(request) === true ? go() : around(app, manager, options, request, go)
    })
    if (options.lazy === true) return app
    return app.derive({ as: 'global' }, ({ request }) => ({
      session: keptWith(request, manager)?.session,
    }))
  }
}

/** The session of a request that `session(manager)` was given. */
export const getSession: GetSession<{ readonly request: Request }> = sessionGetter(
  ({ request }) => request,
)

async function around<Data extends object>(
  app: AnyElysia,
  manager: SessionManager<Data>,
  options: ElysiaOptions,
  request: Request,
  go: () => unknown,
): Promise<unknown> {
  if (keptWith(request, manager) !== undefined) return go()
  const kept = attachWeb(manager, request, () => options.info?.(request))
  try {
    if (options.lazy !== true) await kept.open()
    const response = await go()
    return response instanceof Response ? await finish(response, kept) : response
  } catch (error) {
    return errorResponse(app, request, error)
  }
}

// Errors outside of a route have no other way to the hooks of onError.
async function errorResponse(app: AnyElysia, request: Request, error: unknown): Promise<unknown> {
  const handle: unknown = Reflect.get(app, 'handleError')
  if (typeof handle !== 'function') return failureResponse(error)
  const set = { headers: {}, status: statusOf(error) }
  return Reflect.apply(handle, app, [{ request, set }, error])
}
