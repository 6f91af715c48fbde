import { createServer } from 'node:http'
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/node'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()
const withSession = session(sessions)

const server = createServer(
  withSession(async (request, response, session) => {
    const [, action, given = ''] = (request.url ?? '/').split('/').map(decodeURIComponent)
    if (request.method === 'GET') {
      session.increment('views')
      response.setHeader('Content-Type', 'application/json')
      return response.end(JSON.stringify({ user: session.user, ...Object.fromEntries(session) }))
    }
    if (action === 'name') session.set('name', given)
    if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
    if (action === 'login') session.login(given)
    if (action === 'logout') session.logout()
    return response.writeHead(303, { Location: '/' }).end()
  }),
)

server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  console.log('node:http serves', server.address())
})
