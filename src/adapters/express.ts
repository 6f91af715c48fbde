import type { IncomingMessage } from 'node:http'
import type { SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import type { NodeResponse } from './hold.ts'
import { attachSession } from './support/attach.ts'
import { infoOf } from './support/node-request.ts'
import { checkOptions } from './support/options.ts'
import type { AdapterOptions } from './support/options.ts'
import { openThen } from './support/open-then.ts'
import { showOnRequest } from './support/inherited-property.ts'
import { sessionGetter } from './support/request-session.ts'
import type { GetSession } from './support/request-session.ts'

declare global {
  namespace Express {
    interface Request {
      /** The session of this request. */
      session: Session
    }
  }
}

/** What is needed of a request; that of Express 4 and 5 has it. */
export interface ExpressRequest extends IncomingMessage {
  readonly path: string
  readonly originalUrl: string
  readonly ip?: string | undefined
  readonly secure: boolean
  readonly hostname: string
}

/** How sessions are joined to the requests of Express. */
export interface ExpressOptions extends AdapterOptions<ExpressRequest> {}

/** A middleware of Express 4 and 5. */
export type ExpressMiddleware = (
  request: ExpressRequest,
  response: NodeResponse,
  next: (error?: unknown) => void,
) => void | Promise<void>

/**
 * Sessions for Express 5 and 4, as `request.session`. An error of the store goes to the error handlers
 * of the application, with status 503. The client's address and protocol are what `trust proxy` says.
 *
 * @example
 * app.use(session(sessions))
 * app.get('/', (request, response) => response.send(`view ${request.session.increment('views')}`))
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: ExpressOptions = {},
): ExpressMiddleware {
  checkOptions(options)
  return (request, response, next) => {
    if (options.skip?.(request) === true) return next()
    const info = () => infoOfRequest(request)
    const attached = attachSession(manager, request, response, { info, fail: next })
    showOnRequest(request, attached)
    if (options.lazy === true) return next()
    return openThen(attached, next)
  }
}

/** The session of a request that `session(manager)` was given. */
export const getSession: GetSession<IncomingMessage> = sessionGetter((request) => request)

function infoOfRequest(request: ExpressRequest) {
  const { ip, secure, hostname, headers } = request
  return infoOf({ address: ip, secure, host: hostname, userAgent: headers['user-agent'] })
}
