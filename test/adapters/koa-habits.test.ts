import Koa from 'koa'
import supertest from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import type { Server } from 'node:http'
import { session } from '../../src/adapters/koa.ts'
import { isSessionError } from '../../src/errors.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

let server: Server | undefined
afterEach(() => server?.close())

async function listen(app: Koa): Promise<Server> {
  app.silent = true
  const listening = app.listen(0, '127.0.0.1')
  server = listening
  await new Promise((resolve) => listening.once('listening', resolve))
  return listening
}

describe('in Koa', () => {
  test('a middleware above can catch the error of the store', async () => {
    const { sessions, store } = testSessions()
    const app = new Koa()
    app.use(async (context, next) => {
      try {
        await next()
      } catch (error) {
        context.status = 503
        context.body = { code: isSessionError(error) && error.code }
      }
    })
    app.use(session(sessions))
    app.use((context) => {
      store.down = true
      context.session.set('a', 1)
      context.body = { stored: true }
    })
    const answer = await supertest(await listen(app)).get('/')
    expect([answer.status, answer.body]).toEqual([503, { code: 'ERR_SESSION_STORE' }])
    expect(answer.headers).not.toHaveProperty('set-cookie')
  })

  test('a response that Koa leaves alone is stored before its first byte', async () => {
    const { sessions, store } = testSessions()
    const app = new Koa()
    app.use(session(sessions))
    app.use((context) => {
      context.session.increment('views')
      context.respond = false
      context.res.writeHead(200, { 'Content-Type': 'text/plain' })
      context.res.end('raw')
    })
    const agent = supertest(await listen(app))
    const first = await agent.get('/')
    expect(first.text).toBe('raw')
    const cookie = cookieOf(first.headers['set-cookie'])
    await agent.get('/').set('Cookie', cookie)
    expect(store.calls).toEqual(['create', 'load', 'commit'])
    store.down = true
    expect((await agent.get('/')).status).toBe(503)
  })

  test('a thrown error keeps what was done, a rotation too', async () => {
    const { sessions } = testSessions()
    const app = new Koa()
    app.use(session(sessions))
    app.use((context) => {
      if (context.path === '/user') return void (context.body = { user: context.session.user })
      context.session.login('ann')
      context.throw(418, 'short and stout')
    })
    const agent = supertest(await listen(app))
    const thrown = await agent.get('/')
    expect(thrown.status).toBe(418)
    const cookie = cookieOf(thrown.headers['set-cookie'])
    expect((await agent.get('/user').set('Cookie', cookie)).body).toEqual({ user: 'ann' })
  })

  test('what a middleware above sets afterwards is stored too, with one cookie', async () => {
    const { sessions } = testSessions()
    const app = new Koa()
    app.use(session(sessions))
    app.use(async (context, next) => {
      await next()
      context.session.login('ann')
    })
    app.use((context) => {
      context.session.set('a', 1)
      context.body = 'below'
    })
    const agent = supertest(await listen(app))
    const answer = await agent.get('/')
    expect(answer.headers['set-cookie']).toHaveLength(1)
  })
})
