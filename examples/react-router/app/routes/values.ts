import type { Route } from './+types/values'
import { sessionContext } from '../session.server'

export function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext)
  session.increment('views')
  return Response.json({ user: session.user, ...Object.fromEntries(session) })
}
