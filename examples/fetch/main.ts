import { serve } from '@hono/node-server'
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/fetch'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()
const withSession = session(sessions)

const handle = withSession(async (request, session) => {
  const [, action, given = ''] = new URL(request.url).pathname.split('/').map(decodeURIComponent)
  if (request.method === 'GET') {
    session.increment('views')
    return Response.json({ user: session.user, ...Object.fromEntries(session) })
  }
  if (action === 'name') session.set('name', given)
  if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
  if (action === 'login') session.login(given)
  if (action === 'logout') session.logout()
  return Response.redirect(new URL('/', request.url), 303)
})

const options = { port: Number(process.env['PORT'] ?? 3000), hostname: '127.0.0.1' }
serve({ fetch: (request) => handle(request), ...options }, (address) => {
  console.log('fetch serves', address)
})
