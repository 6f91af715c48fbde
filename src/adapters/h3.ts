import type { H3Event, Middleware } from 'h3'
import type { RequestInfo, SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import type { HeaderLine } from './hold.ts'
import { checkOptions } from './support/options.ts'
import { addLines } from './support/lines.ts'
import { showSession } from './support/property.ts'
import { sessionGetter } from './support/request-session.ts'
import type { GetSession, RequestSession } from './support/request-session.ts'
import { attachWeb, goingOn, watched } from './support/web.ts'
import type { WebOptions } from './support/web.ts'

declare module 'h3' {
  interface H3EventContext {
    /** The session of this request. */
    session: Session
  }
}

/** How sessions are joined to the requests of h3. */
export interface H3Options extends WebOptions<H3Event> {}

/**
 * Sessions for h3 2, as `event.context.session`. An error of the store goes to `onError`, with
 * status 503.
 *
 * @example
 * app.use(session(sessions))
 * app.get('/', (event) => `view ${event.context.session.increment('views')}`)
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: H3Options = {},
): Middleware {
  checkOptions(options, ['info'])
  return async (event, next) => {
    if (options.skip?.(event) === true) return next()
    const kept = attachWeb(manager, event.req, () => infoOf(event, options))
    showSession(event.context, kept)
    if (options.lazy !== true) await kept.open()
    try {
      const body = await next()
      deliver(event, await kept.release(), headersOf(body))
      return goingOnBody(body, kept)
    } catch (error) {
      deliver(event, await kept.release(), undefined)
      throw error
    }
  }
}

/** The session of an event that `session(manager)` was given. */
export const getSession: GetSession<Pick<H3Event, 'req'>> = sessionGetter(({ req }) => req)

function infoOf(event: H3Event, options: H3Options): RequestInfo {
  const { ip } = event.req
  return { ...(ip !== undefined && { address: ip }), ...options.info?.(event) }
}

// h3 puts the one or the other beside the headers of the body, depending on how the request ends, and
// lets them win.
function deliver(event: H3Event, lines: readonly HeaderLine[], own: Headers | undefined): void {
  if (lines.length === 0) return
  for (const headers of [event.res.headers, event.res.errHeaders]) {
    const get = (name: string) => joined(own?.get(name), headers.get(name))
    const set = (name: string, value: string) => headers.set(name, value)
    addLines({ get, set, append: (name, value) => headers.append(name, value) }, lines)
  }
}

function joined(...parts: (string | null | undefined)[]): string | undefined {
  const present = parts.filter((part) => typeof part === 'string')
  return present.length === 0 ? undefined : present.join(', ')
}

function headersOf(body: unknown): Headers | undefined {
  const headers: unknown = isObject(body) ? Reflect.get(body, 'headers') : undefined
  return headers instanceof Headers ? headers : undefined
}

function goingOnBody<Data extends object>(body: unknown, kept: RequestSession<Data>): unknown {
  if (body instanceof Response) return goingOn(body, kept)
  if (!kept.mayGoOn) return body
  if (body instanceof ReadableStream) return watched(body, () => kept.after())
  const inner: unknown = isObject(body) ? Reflect.get(body, 'body') : undefined
  if (inner instanceof ReadableStream) {
    Reflect.set(
      Object(body),
      'body',
      watched(inner, () => kept.after()),
    )
  }
  return body
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
