import type { RequestHandler } from './$types'

export const GET: RequestHandler = ({ locals: { session } }) => {
  session.increment('views')
  return Response.json({ user: session.user, ...Object.fromEntries(session) })
}
