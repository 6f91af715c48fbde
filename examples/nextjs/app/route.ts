import { withSession } from '../lib/session'

export const GET = withSession((_request, session) => {
  session.increment('views')
  return Response.json({ user: session.user, ...Object.fromEntries(session) })
})
