import type { Handle } from '@sveltejs/kit'
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/fetch'

const withSession = session(new SessionManager({ secret: process.env['SESSION_SECRET'] }))

/** Every request has its session in `event.locals`, and is answered when it is stored. */
export const handle: Handle = ({ event, resolve }) =>
  withSession((_request, session) => {
    event.locals.session = session
    return resolve(event)
  })(event.request)
