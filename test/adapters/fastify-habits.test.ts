import fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { getSession, session } from '../../src/adapters/fastify.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

describe('in Fastify', () => {
  test('inject sees the session, and its cookie', async () => {
    const { sessions } = testSessions()
    const app = fastify()
    app.register(session(sessions))
    app.get('/', async (request) => ({ views: request.session.increment('views') }))
    const first = await app.inject('/')
    expect(first.json()).toEqual({ views: 1 })
    const [cookie] = first.cookies
    expect(cookie).toMatchObject({ path: '/', httpOnly: true, secure: true, sameSite: 'Lax' })
    const again = await app.inject({
      url: '/',
      cookies: { [cookie?.name ?? '']: cookie?.value ?? '' },
    })
    expect(again.json()).toEqual({ views: 2 })
    expect(again.cookies).toEqual([])
  })

  test('registered globally it is there for what is registered beside it', async () => {
    const { sessions } = testSessions()
    const app = fastify()
    await app.register(session(sessions))
    await app.register(async (child) => {
      child.get('/child', async (request) => ({ established: request.session.established }))
    })
    expect((await app.inject('/child')).json()).toEqual({ established: false })
  })

  test('encapsulated it is there for its own scope only', async () => {
    const { sessions } = testSessions()
    const app = fastify()
    await app.register(async (child) => {
      await child.register(session(sessions, { encapsulate: true }))
      await child.register(async () => undefined)
    })
    app.get('/', async (request) => ({ has: 'session' in request }))
    expect((await app.inject('/')).json()).toEqual({ has: false })
  })

  test('a hijacked reply is stored before its first byte', async () => {
    const { sessions, store } = testSessions()
    const app = fastify()
    await app.register(session(sessions))
    app.get('/', (request, reply) => {
      request.session.set('a', 1)
      reply.hijack()
      reply.raw.end('raw')
    })
    const answer = await app.inject('/')
    expect(answer.body).toBe('raw')
    expect(answer.headers['set-cookie']).toBeDefined()
    store.down = true
    const refused = await app.inject('/')
    expect([refused.statusCode, refused.headers['set-cookie']]).toEqual([503, undefined])
    expect(refused.body).not.toContain('raw')
  })

  test('an error of the store goes to the error handler of the route', async () => {
    const { sessions, store } = testSessions()
    const app = fastify()
    app.setErrorHandler((error, _request, reply) =>
      reply.code(503).send({ code: Reflect.get(Object(error), 'code') }),
    )
    await app.register(session(sessions))
    app.get('/', async (request) => {
      store.down = true
      request.session.set('a', 1)
      return { stored: true }
    })
    const answer = await app.inject('/')
    expect([answer.statusCode, answer.json()]).toEqual([503, { code: 'ERR_SESSION_STORE' }])
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('hooks that come later can still change the session', async () => {
    const { sessions } = testSessions()
    const app = fastify()
    await app.register(session(sessions))
    app.addHook('onSend', async (request, _reply, payload) => {
      request.session.set('late', 'yes')
      return payload
    })
    app.get('/', async (request) => Object.fromEntries(request.session))
    const first = await app.inject('/')
    const cookie = cookieOf(first.headers['set-cookie'])
    expect((await app.inject({ url: '/', headers: { cookie } })).json()).toEqual({ late: 'yes' })
  })

  test('a request that nothing was registered for has no session to get', async () => {
    const app = fastify()
    app.get('/', async (request) => getSession(request))
    expect((await app.inject('/')).json()).toMatchObject({ code: 'ERR_SESSION_MISUSE' })
  })
})
