import { createContext } from 'react-router'
import type { MiddlewareFunction } from 'react-router'
import { SessionManager } from 'sojourn'
import type { Session } from 'sojourn'
import { session } from 'sojourn/fetch'

interface Data {
  name: string
  views: number
  cart: string[]
}

const withSession = session(new SessionManager<Data>({ secret: process.env['SESSION_SECRET'] }))

/** In loaders and actions: `context.get(sessionContext)`. */
export const sessionContext = createContext<Session<Data>>()

/** The answer is sent when what loaders and actions did is stored. */
export const sessionMiddleware: MiddlewareFunction<Response> = ({ request, context }, next) =>
  withSession((_request, session) => {
    context.set(sessionContext, session)
    return next()
  })(request)
