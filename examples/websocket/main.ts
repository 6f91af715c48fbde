import { createServer } from 'node:http'
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/node'
import { session as liveSession } from 'sojourn/websocket'
import { WebSocketServer } from 'ws'

interface Data {
  name: string
  views: number
  cart: string[]
}

const sessions = new SessionManager<Data>()

const server = createServer(
  session(sessions)(async (request, response, session) => {
    const [, action, given = ''] = (request.url ?? '/').split('/').map(decodeURIComponent)
    if (request.method === 'GET') {
      session.increment('views')
      return response.end(JSON.stringify({ user: session.user, ...Object.fromEntries(session) }))
    }
    if (action === 'name') session.set('name', given)
    if (action === 'cart') await session.update('cart', (cart = []) => [...cart, given])
    if (action === 'login') session.login(given)
    if (action === 'logout') session.logout()
    return response.writeHead(303, { Location: '/' }).end()
  }),
)

const sockets = new WebSocketServer({ noServer: true })
const join = liveSession(sessions).upgrade(sockets, (socket, _request, live) => {
  const count = () => live.edit((session) => session.increment('views'))
  socket.on('message', () => void count().then((views) => socket.send(`view ${views}`)))
})
server.on('upgrade', join)

server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  console.log('ws serves', server.address())
})
