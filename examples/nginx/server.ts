import { createServer } from 'node:http'
import { SessionManager } from 'sojourn'
import { session } from 'sojourn/node'
import { RedisStore } from 'sojourn/redis'
import { session as liveSession } from 'sojourn/websocket'
import { WebSocketServer } from 'ws'

// One of several processes behind nginx. They share the secret and the store, and nothing else.
const sessions = new SessionManager<{ views: number }>({
  secret: process.env['SESSION_SECRET'],
  store: new RedisStore({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' }),
})
// nginx says who the client is and that it came over https; it replaces what the client says of that.
const behindNginx = { trustProxy: 1 }

const withSession = session(sessions, behindNginx)
const server = createServer(
  withSession((request, response, session) => {
    if (request.method === 'POST') session.increment('views')
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ views: session.get('views', 0), process: process.pid }))
  }),
)

const live = liveSession(sessions, { ...behindNginx, anonymous: 'refuse' })
const sockets = new WebSocketServer({ noServer: true })
const join = live.upgrade(sockets, (socket, _request, session) => {
  const count = () => session.edit((stored) => stored.increment('views'))
  socket.on('message', () => void count().then((views) => socket.send(`${views}`)))
})
server.on('upgrade', join)

// What is under way is answered, what is stored stays; clients of sockets come again elsewhere.
process.on('SIGTERM', () => {
  void live.close().then(() => server.close(() => void sessions.close()))
})

await sessions.ready()
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => console.log('serves'))
