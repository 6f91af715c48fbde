// Its types are checked here; it was not run here.
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/fetch'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>({ secret: Deno.env.get('SESSION_SECRET') })

const handle = session(sessions)(async (request, session) => {
  const [, action, given = ''] = new URL(request.url).pathname.split('/').map(decodeURIComponent)
  if (request.method === 'GET') {
    session.increment('views')
    return Response.json({ user: session.user, ...Object.fromEntries(session) })
  }
  if (action === 'name') session.set('name', given)
  if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
  if (action === 'login') session.login(given)
  if (action === 'logout') session.logout()
  return Response.redirect(new URL('/', request.url).href, 303)
})

const port = Number(Deno.env.get('PORT') ?? 3000)
Deno.serve({ port, hostname: '127.0.0.1' }, (request) => handle(request))
