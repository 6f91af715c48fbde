import type { Server } from 'node:http'
import express, { Router } from 'express'
import type { ErrorRequestHandler } from 'express'
import supertest from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import { getSession, session } from '../../src/adapters/express.ts'
import { isSessionError } from '../../src/errors.ts'
import { testSessions } from './support/sessions.ts'

let server: Server | undefined
afterEach(() => server?.close())

// supertest would listen on every address: it is given a server that listens already.
async function listen(app: express.Express): Promise<Server> {
  const listening = app.listen(0, '127.0.0.1')
  server = listening
  await new Promise((resolve) => listening.once('listening', resolve))
  return listening
}

describe('in Express', () => {
  test('an agent of supertest stays logged in over a redirect', async () => {
    const { sessions } = testSessions()
    const app = express()
    app.use(session(sessions))
    app.post('/login', (request, response) => {
      request.session.login('ann')
      response.redirect('/account')
    })
    app.get('/account', (request, response) => {
      response.json({ user: request.session.user })
    })
    const cookies = supertest.agent(await listen(app))
    const login = await cookies.post('/login').expect(302)
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    const account = await cookies.get('/account').set('Cookie', cookie)
    expect([account.status, account.body]).toEqual([200, { user: 'ann' }])
  })

  test('a middleware before and one after the session may replace the methods of a response', async () => {
    const { sessions } = testSessions()
    const app = express()
    const calls: string[] = []
    const noting = (name: string): express.RequestHandler => {
      return (_request, response, next) => {
        const end = response.end.bind(response)
        response.end = (...args: unknown[]) => {
          calls.push(name)
          return Reflect.apply(end, response, args)
        }
        next()
      }
    }
    app.use('/plain', (_request, response) => void response.send('plain'))
    app.use('/wrapped', noting('before'))
    app.use(session(sessions))
    app.use(noting('after'))
    app.use((request, response) => {
      response.json(request.session.increment('views'))
    })
    const listening = await listen(app)
    for (const path of ['/', '/wrapped', '/plain', '/', '/wrapped']) {
      const { status, headers } = await supertest(listening).get(path)
      expect([path, status]).toEqual([path, 200])
      expect(headers['set-cookie'] === undefined).toBe(path === '/plain')
    }
    expect(calls).toEqual(['after', 'after', 'before', 'after', 'after', 'before'])
  })

  test('an error of the store goes to the error handler of the application', async () => {
    const { sessions, store } = testSessions()
    const seen: unknown[] = []
    const app = express()
    app.use((_request, response, next) => {
      response.set('X-Frame-Options', 'DENY')
      next()
    })
    app.use(session(sessions))
    const router = Router()
    router.get('/login', (request, response) => {
      store.down = true
      request.session.login('ann')
      response.set('X-Login', 'done').json({ welcome: 'ann' })
    })
    app.use('/auth', router)
    const handler: ErrorRequestHandler = (error, request, response, _next) => {
      seen.push(isSessionError(error) && error.code, request.originalUrl)
      response.status(503).json({ sorry: true })
    }
    app.use(handler)
    const answer = await supertest(await listen(app)).get('/auth/login')
    expect([answer.status, answer.body]).toEqual([503, { sorry: true }])
    expect(answer.headers).not.toHaveProperty('x-login')
    expect(answer.headers).not.toHaveProperty('set-cookie')
    expect(answer.headers['x-frame-options']).toBe('DENY')
    expect(seen).toEqual(['ERR_SESSION_STORE', '/auth/login'])
  })

  test('without an error handler Express answers with the status of the error', async () => {
    const { sessions, store } = testSessions()
    const app = express().set('env', 'test')
    app.use(session(sessions))
    app.get('/', (request, response) => {
      store.down = true
      request.session.set('a', 1)
      response.send('stored')
    })
    const answer = await supertest(await listen(app)).get('/')
    expect(answer.status).toBe(503)
    expect(answer.text).not.toContain('stored')
  })

  test('a lazy session that was not opened says so', async () => {
    const { sessions } = testSessions()
    const app = express()
    app.use(session(sessions, { lazy: true }))
    app.get('/touch', (request, response) => {
      try {
        request.session.get('a')
      } catch (error) {
        response.send(isSessionError(error) && error.code)
      }
    })
    app.get('/open', async (request, response) => {
      const opened = await getSession(request)
      response.json({ same: opened === request.session, views: request.session.increment('views') })
    })
    const agent = supertest(await listen(app))
    expect((await agent.get('/touch')).text).toBe('ERR_SESSION_MISUSE')
    expect((await agent.get('/open')).body).toEqual({ same: true, views: 1 })
  })

  test('mounted twice it is the same session', async () => {
    const { sessions, store } = testSessions()
    const app = express()
    app.use(session(sessions), session(sessions))
    app.get('/', (request, response) => {
      response.json({ views: request.session.increment('views') })
    })
    const agent = supertest(await listen(app))
    const first = await agent.get('/').expect(200, { views: 1 })
    expect(first.headers['set-cookie']).toHaveLength(1)
    expect(store.calls).toEqual(['create'])
  })

  test('the address of the client is what `trust proxy` says', async () => {
    const { sessions } = testSessions()
    const app = express().set('trust proxy', 'loopback')
    app.use(session(sessions))
    app.get('/', (request, response) => {
      const { client } = request.session.set('a', 1)
      response.json({ client })
    })
    app.get('/again', (request, response) => {
      response.json(request.session.client)
    })
    const agent = supertest(await listen(app))
    const first = await agent.get('/').set('X-Forwarded-For', '203.0.113.9').set('User-Agent', 'me')
    const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    const again = await agent.get('/again').set('Cookie', cookie)
    expect(again.body).toEqual({ address: '203.0.113.9', userAgent: 'me' })
  })

  test('a misspelt option is refused with the right one', () => {
    const { sessions } = testSessions()
    expect(() => session(sessions, { lasy: true } as never)).toThrow(/Did you mean 'lazy'/)
  })
})
