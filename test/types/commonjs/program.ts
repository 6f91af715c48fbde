import { createServer } from 'node:http'
import { SessionManager, isSessionError } from 'sojourn'
import type { Session } from 'sojourn'
import { session as express } from 'sojourn/express'
import { session as fastify } from 'sojourn/fastify'
import { session as koa } from 'sojourn/koa'
import { MemoryStore } from 'sojourn/memory'
import { session as node } from 'sojourn/node'
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

module.exports = { sessions, isSessionError }
