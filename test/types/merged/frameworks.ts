import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Session } from 'sojourn'
import { SessionManager } from 'sojourn'
import { session as elysia } from 'sojourn/elysia'
import { session as express } from 'sojourn/express'
import { session as fastify } from 'sojourn/fastify'
import { session as fetchStyle } from 'sojourn/fetch'
import { session as h3 } from 'sojourn/h3'
import { session as hono } from 'sojourn/hono'
import type { SessionEnv } from 'sojourn/hono'
import { session as koa } from 'sojourn/koa'
import type { Session as SessionParameter } from 'sojourn/nest'
import { attach, session as node } from 'sojourn/node'
import { Elysia } from 'elysia'
import createExpress from 'express'
import createFastify from 'fastify'
import { H3 } from 'h3'
import { Hono } from 'hono'
import Koa from 'koa'
import { isOf } from '../same.ts'

const sessions = new SessionManager()
type Login = string | undefined

createExpress()
  .use(express(sessions, { skip: ({ path }) => path.startsWith('/static') }))
  .get('/', (request, response) => {
    isOf<Session>()(request.session)
    isOf<Login>()(request.session.get('login'))
    // @ts-expect-error no such name
    request.session.get('logn')
    response.end()
  })

const app = createFastify()
app.register(fastify(sessions, { encapsulate: true }))
app.get('/', (request) => {
  isOf<Login>()(request.session.get('login'))
  // @ts-expect-error text is not a number
  request.session.set('views', 'one')
  return 'ok'
})

new Koa().use(koa(sessions)).use((context) => {
  isOf<Session>()(context.session)
  isOf<Login>()(context.session.get('login'))
  // @ts-expect-error no such name
  context.session.get('logn')
})

new Hono().use(hono(sessions)).get('/', (c) => {
  isOf<Login>()(c.var.session.get('login'))
  isOf<Session>()(c.get('session'))
  // @ts-expect-error no such name
  return c.text(c.var.session.get('logn', 'nobody'))
})

const typedOnce = new Hono<SessionEnv>()
typedOnce.use(hono(sessions))
typedOnce.get('/', (c) => c.text(c.var.session.get('login', 'nobody')))

new H3().use(h3(sessions)).get('/', (event) => {
  isOf<Session>()(event.context.session)
  // @ts-expect-error no such name
  return event.context.session.get('logn')
})

new Elysia().use(elysia(sessions)).get('/', ({ session }) => {
  isOf<Session>()(session)
  // @ts-expect-error no such name
  return session.get('logn')
})

export const handle = fetchStyle(sessions)((request, session) => {
  isOf<Request>()(request)
  // @ts-expect-error no such name
  session.get('logn')
  return Response.json({ login: session.get('login') })
})

createServer(
  node(sessions)((request, response, session) => {
    isOf<Session>()(session)
    // @ts-expect-error no such name
    session.get('logn')
    response.end(request.url ?? '')
  }),
)

createHttp2Server(
  node(sessions)((_request, response, session) => {
    response.stream.respond()
    response.end(session.get('login', 'nobody'))
  }),
)

createServer((request, response) => {
  isOf<Promise<Session>>()(attach(sessions, request, response))
})

export function nestRoute(session: SessionParameter): Login {
  // @ts-expect-error no such name
  session.get('logn')
  return session.get('login')
}
