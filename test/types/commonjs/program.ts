import { createServer } from 'node:http'
import { SessionManager, isSessionError } from 'sojourn'
import type { Session } from 'sojourn'
import { session as elysia } from 'sojourn/elysia'
import { session as express } from 'sojourn/express'
import { session as fastify } from 'sojourn/fastify'
import { session as fetchStyle } from 'sojourn/fetch'
import { session as h3 } from 'sojourn/h3'
import { session as hono } from 'sojourn/hono'
import { session as koa } from 'sojourn/koa'
import { MemoryStore } from 'sojourn/memory'
import { session as nest } from 'sojourn/nest'
import type { Session as SessionParameter } from 'sojourn/nest'
import { session as node } from 'sojourn/node'
import { getSession as ofSocket, session as live } from 'sojourn/websocket'
import { Elysia } from 'elysia'
import { H3 } from 'h3'
import { Hono } from 'hono'
import type { WebSocket } from 'ws'
import createExpress = require('express')
import Koa = require('koa')
import createFastify = require('fastify')

declare module 'sojourn' {
  interface SessionData {
    login?: string
  }
}

const sessions = new SessionManager({ store: new MemoryStore() })

createExpress()
  .use(express(sessions))
  .get('/', (request, response) => {
    const login: string = request.session.get('login', 'nobody')
    // @ts-expect-error no such name
    request.session.get('logn')
    response.send(login)
  })

new Koa().use(koa(sessions)).use((context) => {
  context.body = context.session.set('login', 'ann').get('login')
})

createFastify.fastify().register(fastify(sessions))

createServer(
  node(sessions)((_request, response, session: Session) => {
    response.end(session.get('login', 'nobody'))
  }),
)

new Hono().use(hono(sessions)).get('/', (c) => {
  // @ts-expect-error no such name
  c.var.session.get('logn')
  return c.text(c.var.session.get('login', 'nobody'))
})

new H3().use(h3(sessions)).get('/', (event) => event.context.session.get('login', 'nobody'))

new Elysia().use(elysia(sessions)).get('/', ({ session }) => session.get('login', 'nobody'))

fetchStyle(sessions)((_request, session) => new Response(session.get('login', 'nobody')))

nest(sessions)

function nestRoute(session: SessionParameter): string {
  // @ts-expect-error a login is text
  session.set('login', 7)
  return session.get('login', 'nobody')
}

async function message(socket: WebSocket): Promise<string | undefined> {
  // @ts-expect-error no such name
  await ofSocket(socket).get('logn')
  return ofSocket(socket, sessions).get('login')
}

live(sessions).socketio()

module.exports = { sessions, isSessionError, nestRoute, message }
