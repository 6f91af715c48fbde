/** Fastify 5. */

import { randomBytes } from 'node:crypto'
import cookie from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import fastifySession from '@fastify/session'
import { RedisStore } from 'connect-redis'
import fastify from 'fastify'
import { defaultClient } from './redis.js'
import { bareCookie, nextView, sampleValues, secret } from './settings.js'
import { before, load, manager, serve } from './sojourn.js'

export const variants = {
  bare: () => application([], bare),
  'fastify-session': () => withFastifySession({}),
  'fastify-session-not-rolling': () => withFastifySession({ rolling: false }),
  'secure-session': withSecureSession,
  sojourn: () => sojourn('redis'),
  'sojourn-before': () => sojourn('redis', before),
  'sojourn-embedded': () => sojourn('embedded'),
}

async function application(plugins, answer) {
  const app = fastify()
  for (const [plugin, options] of plugins) await app.register(plugin, options)
  app.get('/begin/:bytes', (request, reply) => {
    return answer(request, { kind: 'begin', bytes: Number(request.params.bytes) }, reply)
  })
  app.get('/read', (request, reply) => answer(request, { kind: 'read' }, reply))
  app.get('/write', (request, reply) => answer(request, { kind: 'write' }, reply))
  await app.ready()
  return app.server
}

async function bare(_request, { kind }, reply) {
  if (kind === 'begin') reply.header('set-cookie', bareCookie)
  return 'alice'
}

async function withFastifySession(options) {
  const store = new RedisStore({ client: await defaultClient(), prefix: 'fastify:' })
  const settings = {
    secret,
    store,
    cookie: { secure: false },
    saveUninitialized: false,
    ...options,
  }
  return application([[cookie], [fastifySession, settings]], async ({ session }, work) => {
    if (work.kind === 'begin') Object.assign(session, sampleValues(work.bytes))
    if (work.kind === 'write') session.set('views', nextView())
    return session.get('login')
  })
}

function withSecureSession() {
  const settings = { key: randomBytes(32) }
  return application([[secureSession, settings]], async ({ session }, { kind, bytes }) => {
    if (kind === 'begin') {
      for (const [name, value] of Object.entries(sampleValues(bytes))) session.set(name, value)
    }
    if (kind === 'write') session.set('views', nextView())
    return session.get('login')
  })
}

async function sojourn(engine, dist) {
  const { session } = await load('adapters/fastify', dist)
  const plugin = session(await manager(engine, dist))
  return application([[plugin]], async (request, work) => serve(request.session, work))
}
