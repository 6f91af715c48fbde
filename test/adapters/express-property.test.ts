import { ServerResponse, createServer } from 'node:http'
import type { Server } from 'node:http'
import express from 'express'
import type { Express, RequestHandler } from 'express'
import express4 from 'express4'
import supertest from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import { session } from '../../src/adapters/express.ts'
import { isSessionError } from '../../src/errors.ts'
import { SessionManager } from '../../src/manager.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function agentOf(app: Express) {
  const server = createServer(app).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return supertest(server)
}

async function bodyOf(asking: supertest.Test): Promise<unknown> {
  const { body } = await asking.expect(200)
  return body as unknown
}

const views: RequestHandler = (request, response) => {
  response.json({ views: request.session.increment('views') })
}

/** What a request shows as its session, whatever that is. */
const shown: RequestHandler = (request, response) => {
  response.json({ session: (Reflect.get(request, 'session') as unknown) ?? 'none' })
}

/** A session of somebody else, assigned and defined. */
const foreign: Readonly<Record<string, RequestHandler>> = {
  assigned: (request, _response, next) => {
    Object.assign(request, { session: { theirs: 1 } })
    next()
  },
  defined: (request, _response, next) => {
    const get = () => ({ theirs: 2 })
    Object.defineProperty(request, 'session', { get, configurable: true, enumerable: true })
    next()
  },
}

describe('the property `session` of a request of Express', () => {
  test('costs the request one property and the response none', async () => {
    const { sessions } = testSessions()
    const app = express()
    const keys: number[] = []
    const counting: RequestHandler = (request, response, next) => {
      keys.push(Reflect.ownKeys(request).length, Reflect.ownKeys(response).length)
      next()
    }
    app.use(counting, session(sessions), counting, views)
    const agent = await agentOf(app)
    expect(await bodyOf(agent.get('/'))).toEqual({ views: 1 })
    expect(await bodyOf(agent.get('/'))).toEqual({ views: 1 })
    const [, , , , request = 0, response = 0, ...after] = keys
    expect(after).toEqual([request + 1, response])
  })

  test('is undefined without the middleware, in the same application and in another one', async () => {
    const { sessions } = testSessions()
    const [app, other] = [express(), express()]
    app.use('/with', session(sessions), views)
    for (const each of [app, other]) each.get('/without', shown)
    const [agent, another] = [await agentOf(app), await agentOf(other)]
    for (const _ of [1, 2]) {
      expect(await bodyOf(agent.get('/with'))).toEqual({ views: 1 })
      expect(await bodyOf(agent.get('/without'))).toEqual({ session: 'none' })
      expect(await bodyOf(another.get('/without'))).toEqual({ session: 'none' })
    }
  })

  test('belongs to another middleware on another route, and to ours after it', async () => {
    const { sessions } = testSessions()
    const app = express()
    app.get('/ours', session(sessions), views)
    for (const [name, middleware] of Object.entries(foreign)) {
      app.get(`/${name}`, middleware, shown)
      app.get(`/${name}/ours`, middleware, session(sessions), views)
    }
    const agent = await agentOf(app)
    for (const _ of [1, 2]) {
      expect(await bodyOf(agent.get('/assigned'))).toEqual({ session: { theirs: 1 } })
      expect(await bodyOf(agent.get('/assigned/ours'))).toEqual({ views: 1 })
      expect(await bodyOf(agent.get('/ours'))).toEqual({ views: 1 })
      expect(await bodyOf(agent.get('/defined'))).toEqual({ session: { theirs: 2 } })
      expect(await bodyOf(agent.get('/defined/ours'))).toEqual({ views: 1 })
    }
  })

  test('is what an application has defined for its requests, where ours does not apply', async () => {
    const { sessions } = testSessions()
    const app = express()
    Object.defineProperty(app.request, 'session', { value: 'theirs', configurable: true })
    app.get('/theirs', shown)
    app.get('/ours', session(sessions), views)
    const agent = await agentOf(app)
    expect(await bodyOf(agent.get('/theirs'))).toEqual({ session: 'theirs' })
    expect(await bodyOf(agent.get('/ours'))).toEqual({ views: 1 })
    expect(await bodyOf(agent.get('/theirs'))).toEqual({ session: 'theirs' })
  })

  test('cannot be replaced, which an error says, and the session goes on', async () => {
    const { sessions } = testSessions()
    const app = express()
    app.get('/', session(sessions), (request, response) => {
      request.session.set('a', 1)
      try {
        Object.assign(request, { session: null })
      } catch (error) {
        const { code } = isSessionError(error) ? error : { code: 'none' }
        response.json({ code, a: request.session.get('a') })
      }
    })
    expect(await bodyOf((await agentOf(app)).get('/'))).toEqual({
      code: 'ERR_SESSION_MISUSE',
      a: 1,
    })
  })

  test.each([
    ['Express 5', express],
    ['Express 4', express4],
  ])('is there in applications that are mounted, of %s', async (_name, make) => {
    const { sessions } = testSessions()
    const [app, below, own, late] = [express(), make(), make(), make()]
    own.use(session(sessions))
    for (const each of [below, own, late]) each.get('/', views)
    app.use('/own', own)
    app.use(session(sessions))
    app.use('/below', below)
    app.get('/', views)
    const agent = await agentOf(app)
    const first = await agent.get('/own').expect(200, { views: 1 })
    const cookie = cookieOf(first.headers['set-cookie'])
    late.use(session(sessions))
    app.use('/late', late)
    let count = 1
    for (const path of ['/below', '/', '/own', '/late', '/below']) {
      expect(await bodyOf(agent.get(path).set('Cookie', cookie))).toEqual({ views: ++count })
    }
  })

  test('is that of the last of several managers, and all of them store', async () => {
    const [one, two] = ['one', 'two'].map((name) => {
      const secret = 'a secret for tests of adapters only'
      return new SessionManager({ secret, store: new MemoryStore(), cookie: { name } })
    })
    if (one === undefined || two === undefined) throw new Error('There are two.')
    const app = express()
    const both: RequestHandler = (request, response) => {
      response.json(request.session.increment('views'))
    }
    const counted: RequestHandler = (request, _response, next) => {
      request.session.increment('views', 10)
      next()
    }
    app.get('/', session(one), counted, session(two), both)
    const agent = await agentOf(app)
    const { headers } = await agent.get('/').expect(200, '1')
    const cookies = [headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0])
    expect(cookies).toHaveLength(2)
    await agent.get('/').set('Cookie', cookies.join('; ')).expect(200, '2')
    const opened = await one.open(cookies.join('; '))
    expect(opened.get('views')).toBe(20)
  })
})

describe('a response of Express is held', () => {
  test('when its request was put in the place of another one', async () => {
    const { sessions } = testSessions()
    const app = express()
    app.get('/inner', (_request, response) => void response.send('inner'))
    app.get('/twice', session(sessions), views)
    const passing = (url: string): RequestHandler => {
      return (request, response) => {
        request.session.set('a', 1)
        const { method, headers, socket } = request
        const other = Object.assign(Object.create(express.request), {
          method,
          headers,
          socket,
          url,
        })
        app(other as never, response)
      }
    }
    app.get('/outer', session(sessions), passing('/inner'))
    app.get('/both', session(sessions), passing('/twice'))
    const agent = await agentOf(app)
    for (const _ of [1, 2]) {
      const outer = await agent.get('/outer').expect(200, 'inner')
      expect(outer.headers['set-cookie']).toHaveLength(1)
      const both = await agent.get('/both').expect(200, { views: 1 })
      expect(both.headers['set-cookie']).not.toBeUndefined()
    }
  })

  test('when something stands for it that inherits from it or passes on to it', async () => {
    const { sessions } = testSessions()
    const app = express()
    app.use(session(sessions))
    const handler = (standIn: (response: object) => object): RequestHandler => {
      return (request, response) => {
        request.session.set('a', 1)
        Reflect.apply(Reflect.get(response, 'end'), standIn(response), ['text'])
      }
    }
    app.get(
      '/inherits',
      handler((response) => Object.create(response) as object),
    )
    app.get(
      '/proxy',
      handler((response) => new Proxy(response, {})),
    )
    const agent = await agentOf(app)
    for (const path of ['/inherits', '/proxy', '/inherits', '/proxy']) {
      const { text, headers } = await agent.get(path).expect(200)
      expect([text, headers['set-cookie']?.length]).toEqual(['text', 1])
    }
  })

  test('and another response for the same request is not', async () => {
    const { sessions } = testSessions()
    const app = express()
    const inner = express()
    inner.get('/', (_request, response) => void response.send('inner'))
    app.get('/', session(sessions), (request, response) => {
      request.session.set('a', 1)
      const other = new ServerResponse(request)
      inner(request, other as never)
      response.json({ inner: other.headersSent, outer: response.headersSent })
    })
    const { body, headers } = await (await agentOf(app)).get('/')
    expect(body).toEqual({ inner: true, outer: false })
    expect(headers['set-cookie']).toHaveLength(1)
  })
})
