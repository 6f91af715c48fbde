/** Express 5. */

import { createServer } from 'node:http'
import { RedisStore } from 'connect-redis'
import express from 'express'
import expressSession from 'express-session'
import { defaultClient } from './redis.js'
import { bareCookie, sampleValues, secret, nextView } from './settings.js'
import { before, load, manager, serve } from './sojourn.js'

export const variants = {
  bare: () => plain([], () => 'alice'),
  'express-session': () => withExpressSession(() => ({})),
  'express-session-client': () => withExpressSession(clientOf),
  sojourn: () => sojourn('redis'),
  'sojourn-before': () => sojourn('redis', before),
  'sojourn-embedded': () => sojourn('embedded'),
}

function plain(middlewares, answer) {
  const app = express()
  for (const middleware of middlewares) app.use(middleware)
  app.get('/begin/:bytes', (request, response) => {
    if (middlewares.length === 0) response.set('Set-Cookie', bareCookie)
    response.send(answer(request, { kind: 'begin', bytes: Number(request.params.bytes) }))
  })
  app.get('/read', (request, response) => response.send(answer(request, { kind: 'read' })))
  app.get('/write', (request, response) => response.send(answer(request, { kind: 'write' })))
  return createServer(app)
}

/** What sojourn keeps of a client, too. */
function clientOf(request) {
  return { userAgent: request.get('user-agent'), address: request.socket.remoteAddress }
}

async function withExpressSession(more) {
  const store = new RedisStore({ client: await defaultClient() })
  const middleware = expressSession({ store, secret, resave: false, saveUninitialized: false })
  return plain([middleware], (request, { kind, bytes }) => {
    const { session } = request
    if (kind === 'begin') Object.assign(session, sampleValues(bytes), more(request))
    if (kind === 'write') session.views = nextView()
    return session.login
  })
}

async function sojourn(engine, dist) {
  const { session } = await load('adapters/express', dist)
  const middleware = session(await manager(engine, dist))
  return plain([middleware], (request, work) => serve(request.session, work))
}
