import { H3, HTTPError } from 'h3'
import { Hono } from 'hono'
import { Elysia } from 'elysia'
import { describe, expect, test } from 'vitest'
import { session as elysiaSession } from '../../src/adapters/elysia.ts'
import { session as fetchSession } from '../../src/adapters/fetch.ts'
import { session as h3Session } from '../../src/adapters/h3.ts'
import { session as honoSession } from '../../src/adapters/hono.ts'
import type { SessionEnv } from '../../src/adapters/hono.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

const HOME = 'http://localhost/'

describe('a fetch handler', () => {
  test('may answer with a response that is immutable, or that it answers everybody with', async () => {
    const { sessions } = testSessions()
    const shared = new Response(null, { status: 204 })
    const withSession = fetchSession(sessions)
    const redirect = withSession((_request, session) => {
      session.set('a', 1)
      return Response.redirect('http://localhost/next', 302)
    })
    const empty = withSession((_request, session) => {
      session.set('a', 1)
      return shared
    })
    const answers = [await redirect(new Request(HOME)), await empty(new Request(HOME))]
    expect(answers.map(({ status }) => status)).toEqual([302, 204])
    for (const { headers } of answers) expect(headers.getSetCookie()).toHaveLength(1)
    expect(shared.headers.getSetCookie()).toEqual([])
  })

  test('varies by the cookie when it was only read, whether its response may be changed or not', async () => {
    const { sessions } = testSessions()
    const withSession = fetchSession(sessions)
    const begun = await withSession((_request, session) => {
      session.set('a', 1)
      return new Response()
    })(new Request(HOME))
    const cookie = cookieOf(begun.headers.getSetCookie())
    const made = new Response(null, { status: 204, headers: { vary: 'Accept' } })
    for (const response of [Response.redirect(HOME, 302), made]) {
      const read = withSession((_request, session) => {
        session.get('a')
        return response
      })
      const answer = await read(new Request(HOME, { headers: { cookie } }))
      expect(answer.status).toBe(response.status)
      expect(answer.headers.get('vary')).toMatch(/^(Accept, )?Cookie$/)
      expect(answer.headers.getSetCookie()).toEqual([])
    }
    expect(made.headers.get('vary')).toBe('Accept, Cookie')
  })

  test('may stream lines of JSON: what it sets meanwhile is stored before their end', async () => {
    const { sessions } = testSessions()
    const withSession = fetchSession(sessions)
    const lines = withSession((_request, session) => {
      session.set('lines', 0)
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode('{}'))
          session.increment('lines')
          controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'application/jsonl' } })
    })
    const begun = await lines(new Request(HOME))
    expect(await begun.text()).toBe('{}')
    const cookie = cookieOf(begun.headers.getSetCookie())
    const read = withSession((_request, session) => Response.json(session.get('lines')))
    const answer = await read(new Request(HOME, { headers: { cookie } }))
    expect(await answer.json()).toBe(1)
  })

  test('may throw a response', async () => {
    const { sessions } = testSessions()
    const handle = fetchSession(sessions)((_request, session) => {
      session.login('ann')
      throw new Response('teapot', { status: 418 })
    })
    const answer = await handle(new Request(HOME))
    expect([answer.status, answer.headers.getSetCookie().length]).toEqual([418, 1])
  })

  test('is given what the server gives beside the request', async () => {
    const { sessions } = testSessions()
    const handle = fetchSession(sessions)((_request, _session, server: { address: string }) =>
      Response.json(server),
    )
    const answer = await handle(new Request(HOME), { address: '::1' })
    expect(await answer.json()).toEqual({ address: '::1' })
  })

  test('that changes nothing gets its own response back', async () => {
    const { sessions } = testSessions()
    const made = Response.json({ ok: true })
    const handle = fetchSession(sessions)(() => made)
    expect(await handle(new Request(HOME))).toBe(made)
  })
})

describe('in Hono', () => {
  test('app.request sees the session, and its cookie', async () => {
    const { sessions } = testSessions()
    const app = new Hono()
      .use(honoSession(sessions))
      .get('/', (c) => c.text(`view ${c.var.session.increment('views')}`))
    const first = await app.request('/')
    const cookie = cookieOf(first.headers.getSetCookie())
    const again = await app.request('/', { headers: { cookie } })
    expect([await first.text(), await again.text()]).toEqual(['view 1', 'view 2'])
  })

  test('an error of the store is answered with its status, or by onError', async () => {
    const { sessions, store } = testSessions()
    const app = new Hono<SessionEnv>()
    app.use(honoSession(sessions))
    app.get('/', (c) => {
      store.down = true
      c.var.session.set('a', 1)
      return c.text('stored')
    })
    const plain = await app.request('/')
    expect(plain.status).toBe(503)
    expect(await plain.text()).not.toContain('stored')
    expect(plain.headers.getSetCookie()).toEqual([])
    app.onError((error, c) => c.json({ name: error.name }, 503))
    store.down = false
    expect(await (await app.request('/')).json()).toEqual({ name: 'SessionError' })
  })

  test('the response of onError carries the cookie of what was done', async () => {
    const { sessions } = testSessions()
    const app = new Hono<SessionEnv>()
    app.use(honoSession(sessions))
    app.get('/', (c) => {
      c.var.session.login('ann')
      throw new Error('later')
    })
    app.onError((_error, c) => c.text('sorry', 500))
    const answer = await app.request('/')
    expect([answer.status, answer.headers.getSetCookie().length]).toEqual([500, 1])
  })

  test('cookies and Vary of the application stay', async () => {
    const { sessions } = testSessions()
    const app = new Hono<SessionEnv>()
    app.use(honoSession(sessions))
    app.get('/', (c) => {
      c.var.session.set('a', 1)
      c.header('Set-Cookie', 'app=1', { append: true })
      c.header('Vary', 'Accept')
      return c.text('ok')
    })
    const { headers } = await app.request('/')
    expect(headers.getSetCookie()).toEqual(['app=1', expect.stringContaining('sid=')])
    expect(headers.get('vary')).toBe('Accept, Cookie')
  })
})

describe('in h3', () => {
  test('an error that is thrown keeps its headers and gets the cookie', async () => {
    const { sessions } = testSessions()
    const app = new H3({ silent: true })
    app.use(h3Session(sessions))
    app.get('/', (event) => {
      event.context.session.login('ann')
      throw new HTTPError({ status: 418, headers: { 'x-pot': 'tea' } })
    })
    const answer = await app.request('/')
    expect([answer.status, answer.headers.get('x-pot')]).toEqual([418, 'tea'])
    expect(answer.headers.getSetCookie()).toHaveLength(1)
  })

  test('a Response keeps its Vary', async () => {
    const { sessions } = testSessions()
    const app = new H3()
    app.use(h3Session(sessions))
    app.get('/', (event) => {
      event.context.session.set('a', 1)
      return new Response('ok', { headers: { vary: 'Accept', 'cache-control': 'public' } })
    })
    const { headers } = await app.request('/')
    expect([headers.get('vary'), headers.get('cache-control')]).toEqual([
      'Accept, Cookie',
      'no-store',
    ])
  })

  test('a path that nobody answers costs nothing', async () => {
    const { sessions } = testSessions()
    const app = new H3({ silent: true })
    app.use(h3Session(sessions))
    const answer = await app.request('/nowhere')
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([404, []])
  })
})

describe('in Elysia', () => {
  test('app.handle sees the session, and its cookie beside those of the application', async () => {
    const { sessions } = testSessions()
    const app = new Elysia().use(elysiaSession(sessions)).get('/', ({ session, cookie }) => {
      cookie['app']?.set({ value: '1' })
      return `view ${session.increment('views')}`
    })
    const first = await app.handle(new Request(HOME))
    const lines = first.headers.getSetCookie()
    expect(lines).toHaveLength(2)
    const again = await app.handle(new Request(HOME, { headers: { cookie: cookieOf(lines) } }))
    expect([await first.text(), await again.text()]).toEqual(['view 1', 'view 2'])
  })

  test('an error of the store goes to onError', async () => {
    const { sessions, store } = testSessions()
    const app = new Elysia()
      .use(elysiaSession(sessions))
      .onError(({ error }) => ({ name: error instanceof Error && error.name }))
      .get('/', ({ session }) => {
        store.down = true
        session.set('a', 1)
        return 'stored'
      })
    const answer = await app.handle(new Request(HOME))
    expect([answer.status, await answer.json()]).toEqual([503, { name: 'SessionError' }])
    expect(answer.headers.getSetCookie()).toEqual([])
  })
})
