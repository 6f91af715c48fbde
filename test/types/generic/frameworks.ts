import { createServer } from 'node:http'
import type { Session } from 'sojourn'
import { SessionManager } from 'sojourn'
import { session as elysia } from 'sojourn/elysia'
import { getSession as ofExpress, session as express } from 'sojourn/express'
import { getSession as ofFastify } from 'sojourn/fastify'
import { session as fetchStyle } from 'sojourn/fetch'
import { getSession as ofEvent } from 'sojourn/h3'
import { getSession as ofContext, session as hono } from 'sojourn/hono'
import type { SessionEnv } from 'sojourn/hono'
import { getSession as ofKoa } from 'sojourn/koa'
import { getSession as ofNest } from 'sojourn/nest'
import type { Session as SessionParameter } from 'sojourn/nest'
import { session as node } from 'sojourn/node'
import { Elysia } from 'elysia'
import createExpress from 'express'
import createFastify from 'fastify'
import { H3 } from 'h3'
import { Hono } from 'hono'
import Koa from 'koa'
import { getSession as ofSocket } from 'sojourn/websocket'
import { isOf } from '../same.ts'

interface Data {
  login?: string
  views: number
}

const sessions = new SessionManager<Data>()
type Login = string | undefined

export async function undeclared(): Promise<void> {
  const anything = await new SessionManager().open(undefined)
  isOf<unknown>()(anything.get('anything'))
  anything.set('anything', { at: 'all' }).increment('count')
}

createExpress()
  .use(express(sessions))
  .get('/', async (request, response) => {
    const session = await ofExpress(request, sessions)
    isOf<Session<Data>>()(session)
    isOf<Login>()(session.get('login'))
    // @ts-expect-error no such name
    session.get('logn')
    response.end()
  })

createFastify().get('/', async (request) => {
  isOf<Session<Data>>()(await ofFastify(request, sessions))
})

new Koa().use(async (context) => {
  isOf<Session<Data>>()(await ofKoa(context, sessions))
})

// The type comes with the middleware.
new Hono().use(hono(sessions)).get('/', async (c) => {
  isOf<Session<Data>>()(c.var.session)
  isOf<Session<Data>>()(await ofContext(c, sessions))
  // @ts-expect-error a count is a number
  c.var.session.set('views', 'one')
  // @ts-expect-error no such name
  return c.text(c.var.session.get('logn', 'nobody'))
})

const typedOnce = new Hono<SessionEnv<Data>>()
typedOnce.use(hono(sessions))
typedOnce.get('/', (c) => c.json({ views: c.var.session.increment('views') }))

new H3().get('/', async (event) => {
  isOf<Session<Data>>()(await ofEvent(event, sessions))
})

new Elysia().use(elysia(sessions)).get('/', ({ session }) => {
  isOf<Session<Data>>()(session)
  // @ts-expect-error no such name
  return session.get('logn')
})

new Elysia().use(elysia(sessions, { lazy: true })).get('/', (context) => {
  // @ts-expect-error a lazy session is not in the context
  return context.session
})

export const GET = fetchStyle(sessions)((_request, session, more: { id: string }) => {
  isOf<Session<Data>>()(session)
  return Response.json({ views: session.increment('views'), id: more.id })
})

export const lazily = fetchStyle(sessions, { lazy: true })((_request, session) => {
  isOf<Session<Data> | undefined>()(session)
  // @ts-expect-error it may not be open
  return Response.json(session.get('login'))
})

createServer(
  node(sessions)((_request, response, session) => {
    isOf<Session<Data>>()(session)
    response.end()
  }),
)

export async function nestRoute(
  session: SessionParameter<Data>,
  request: object,
): Promise<Session<Data>> {
  isOf<Login>()(session.get('login'))
  return ofNest(request, sessions)
}

// @ts-expect-error no such option
express(sessions, { lasy: true })

export async function live(socket: object): Promise<number> {
  const live = ofSocket(socket, sessions)
  isOf<Login>()(await live.get('login'))
  // @ts-expect-error no such name
  await live.get('logn')
  // @ts-expect-error a count is a number
  await live.edit((session) => session.set('views', 'one'))
  return live.get('views', 0)
}
