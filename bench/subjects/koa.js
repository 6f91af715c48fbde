/** Koa 3. */

import { createServer } from 'node:http'
import Koa from 'koa'
import { createSession } from 'koa-session'
import { jsonStore } from './redis.js'
import { bareCookie, lifetime, nextView, sampleValues, secret, workOf } from './settings.js'
import { before, load, manager, serve } from './sojourn.js'

export const variants = {
  bare: () => application(() => undefined, bare),
  'koa-session': withKoaSession,
  sojourn: () => sojourn('redis'),
  'sojourn-before': () => sojourn('redis', before),
  'sojourn-embedded': () => sojourn('embedded'),
}

function application(begin, answer) {
  const app = new Koa({ keys: [secret] })
  begin(app)
  app.use((context) => {
    context.body = answer(context, workOf(context.path))
  })
  return createServer(app.callback())
}

function bare(context, { kind }) {
  if (kind === 'begin') context.set('set-cookie', bareCookie)
  return 'alice'
}

async function withKoaSession() {
  const { get, set, remove } = await jsonStore(lifetime)
  const options = { store: { get, set, destroy: remove } }
  return application(
    (app) => app.use(createSession(options, app)),
    ({ session }, { kind, bytes }) => {
      if (kind === 'begin') Object.assign(session, sampleValues(bytes))
      if (kind === 'write') session.views = nextView()
      return session.login
    },
  )
}

async function sojourn(engine, dist) {
  const { session } = await load('adapters/koa', dist)
  const middleware = session(await manager(engine, dist))
  return application(
    (app) => app.use(middleware),
    (context, work) => serve(context.session, work),
  )
}
