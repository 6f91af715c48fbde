/** Hono 4, on Node. */

import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { sessionMiddleware } from 'hono-sessions'
import { jsonStore } from './redis.js'
import { bareCookie, lifetime, nextView, sampleValues, secret, workOf } from './settings.js'
import { before, load, manager, serve } from './sojourn.js'

export const variants = {
  bare: () => application([], bare),
  'hono-sessions': () => withHonoSessions({ encryptionKey: secret }),
  'hono-sessions-plain': () => withHonoSessions({}),
  sojourn: () => sojourn('redis'),
  'sojourn-before': () => sojourn('redis', before),
  'sojourn-embedded': () => sojourn('embedded'),
}

function application(middlewares, answer) {
  const app = new Hono()
  for (const middleware of middlewares) app.use(middleware)
  app.get('*', (c) => c.text(answer(c, workOf(c.req.path)) ?? 'nobody'))
  return createAdaptorServer({ fetch: app.fetch })
}

function bare(c, { kind }) {
  if (kind === 'begin') c.header('set-cookie', bareCookie)
  return 'alice'
}

async function withHonoSessions(options) {
  const store = await jsonStore(lifetime)
  const middleware = sessionMiddleware({
    store: {
      getSessionById: store.get,
      createSession: store.set,
      persistSessionData: store.set,
      deleteSession: store.remove,
    },
    expireAfterSeconds: lifetime,
    ...options,
  })
  return application([middleware], (c, { kind, bytes }) => {
    const session = c.get('session')
    if (kind === 'begin') {
      for (const [name, value] of Object.entries(sampleValues(bytes))) session.set(name, value)
    }
    if (kind === 'write') session.set('views', nextView())
    return session.get('login')
  })
}

async function sojourn(engine, dist) {
  const { session } = await load('adapters/hono', dist)
  const middleware = session(await manager(engine, dist))
  return application([middleware], (c, work) => serve(c.var.session, work))
}
