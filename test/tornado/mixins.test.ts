import { once } from 'node:events'
import { IncomingMessage, ServerResponse, createServer } from 'node:http'
import { Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, expectTypeOf, test } from 'vitest'
import { SessionManager } from '../../src/manager.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import {
  Application,
  HttpError,
  NotificationMixin,
  RequestHandler,
  SessionMixin,
  authenticated,
} from '../../src/tornado/index.ts'
import { CountingStore } from '../support/counting-store.ts'
import { Browser } from './browser.ts'
import { IN_MEMORY, SECRET, run } from './running.ts'
import { resultOf } from './work.ts'

interface Data {
  readonly login: string
  readonly cart: string[]
}

describe('SessionMixin over RequestHandler', () => {
  test('has the session in prepare and in the method, without waiting', async () => {
    class Handler extends SessionMixin(RequestHandler) {
      override prepare() {
        this.session.increment('n')
      }
      get() {
        this.write({ result: this.session.increment('n') })
      }
    }
    const { visitor } = await run([['/', Handler]], IN_MEMORY)
    expect(resultOf(await visitor().get('/'))).toBe(2)
  })

  test('has typed data in its curried form', async () => {
    class Handler extends SessionMixin<Data>()(RequestHandler) {
      get() {
        this.session.set('cart', [...this.session.get('cart', []), 'x'])
        expectTypeOf(this.session.get('login')).toEqualTypeOf<string | undefined>()
        // @ts-expect-error -- a name that the data does not have
        this.session.get('logn')
        // @ts-expect-error -- a value of another type
        this.session.set('cart', 'x')
        this.session.delete('cart')
        this.write({ result: this.session.get('cart', ['none']) })
      }
    }
    const { visitor } = await run([['/', Handler]], IN_MEMORY)
    expect(resultOf(await visitor().get('/'))).toEqual(['none'])
  })

  test('says who is logged in as currentUser, and lets authenticated use it', async () => {
    class Handler extends SessionMixin(RequestHandler) {
      post() {
        this.session.login('alice')
      }

      get = authenticated(function (this: Handler) {
        this.write(`hello ${String(this.currentUser)}`)
      })
    }
    const { visitor } = await run([['/', Handler]], { ...IN_MEMORY, loginUrl: '/login' })
    const browser = visitor()
    expect((await browser.get('/')).status).toBe(302)
    await browser.post('/')
    expect((await browser.get('/')).body).toBe('hello alice')
  })

  test('is an error that says so before it is open, and can be opened sooner', async () => {
    class Handler extends SessionMixin(RequestHandler) {
      early: unknown
      override initialize() {
        try {
          this.early = this.session.size
        } catch (error) {
          this.early = error
        }
      }
      async get() {
        const session = await this.openSession()
        this.write({ result: [session === this.session, (this.early as Error).message] })
      }
    }
    const { visitor } = await run([['/', Handler]], IN_MEMORY)
    expect(resultOf(await visitor().get('/'))).toEqual([
      true,
      expect.stringContaining('opened before prepare()'),
    ])
  })

  test('is there in an error page, also when the body could not be read', async () => {
    class Handler extends SessionMixin(RequestHandler) {
      get() {
        this.session.set('name', 'alice')
      }
      post() {}
      override writeError(status: number) {
        this.write({ result: [status, this.session.get('name')] })
      }
    }
    const { visitor } = await run([['/', Handler]], { ...IN_MEMORY, maxBodySize: 2 })
    const browser = visitor()
    await browser.get('/')
    expect(resultOf(await browser.post('/', { a: 'b' }))).toEqual([413, 'alice'])
  })

  test('what is set before an HttpError is stored: it is an answer', async () => {
    class Handler extends SessionMixin(RequestHandler) {
      get() {
        this.session.increment('failures')
        throw new HttpError(403)
      }
      put() {
        this.write({ result: this.session.get('failures') })
      }
    }
    const { visitor } = await run([['/', Handler]], IN_MEMORY)
    const browser = visitor()
    expect((await browser.get('/')).cookies).toHaveLength(1)
    await browser.get('/')
    expect(resultOf(await browser.send('/', { method: 'PUT' }))).toBe(2)
  })

  test('what is set right after redirect() belongs to the response', async () => {
    class Handler extends SessionMixin(RequestHandler) {
      get() {
        this.redirect('/next')
        this.session.set('a', 1)
      }
    }
    const { visitor } = await run([['/', Handler]], IN_MEMORY)
    const reply = await visitor().get('/')
    expect([reply.status, reply.cookies.length]).toEqual([302, 1])
  })

  test('records user agent and address when the session is begun', async () => {
    class Handler extends SessionMixin(RequestHandler) {
      get() {
        this.session.set('a', 1)
        this.write({ result: this.session.client })
      }
    }
    const { visitor } = await run([['/', Handler]], { ...IN_MEMORY, xheaders: true })
    const browser = visitor({ 'user-agent': 'Tests/1', 'x-forwarded-for': '9.9.9.9, 192.0.2.7' })
    await browser.get('/')
    expect(resultOf(await browser.get('/'))).toEqual({ userAgent: 'Tests/1', address: '192.0.2.7' })
  })

  test('the proxy headers are not believed unless xheaders is on', async () => {
    class Handler extends RequestHandler {
      get() {
        this.write({ result: [this.request.remoteIp, this.request.protocol] })
      }
    }
    const headers = { 'x-real-ip': '192.0.2.7', 'x-scheme': 'https' }
    const { visitor } = await run([['/', Handler]])
    expect(resultOf(await visitor(headers).get('/'))).toEqual(['127.0.0.1', 'http'])
    const trusting = await run([['/', Handler]], { xheaders: true })
    expect(resultOf(await trusting.visitor(headers).get('/'))).toEqual(['192.0.2.7', 'https'])
  })
})

describe('NotificationMixin', () => {
  test('works without SessionMixin, and delivers exactly once to parallel requests', async () => {
    class Handler extends NotificationMixin(RequestHandler) {
      async get() {
        this.write({ result: (await this.notifications.take('saved')) ?? null })
      }
      post() {
        this.notifications.set('saved', 'Profile saved')
      }
    }
    const { visitor } = await run([['/', Handler]], IN_MEMORY)
    const browser = visitor()
    await browser.post('/')
    const replies = await Promise.all(Array.from({ length: 8 }, () => browser.get('/')))
    const delivered = replies.map(resultOf).filter((message) => message !== null)
    expect(delivered).toEqual(['Profile saved'])
  })

  test.each([
    ['outside', () => NotificationMixin(SessionMixin(RequestHandler))],
    ['inside', () => SessionMixin(NotificationMixin(RequestHandler))],
  ])('%s of SessionMixin shares its session: one load for both', async (_, make) => {
    const store = new CountingStore(new MemoryStore())
    const sessions = new SessionManager({ secret: SECRET, store })
    class Handler extends make() {
      async get() {
        this.session.set('a', 1)
        this.notifications.set('n', 2)
        this.write({ result: [this.session.size, [...this.notifications.keys()]] })
      }
    }
    const { visitor } = await run([['/', Handler]], { sessions })
    const browser = visitor()
    expect((await browser.get('/')).cookies).toHaveLength(1)
    store.since()
    expect(resultOf(await browser.get('/'))).toEqual([1, ['n']])
    expect(store.since()).toEqual(['load'])
  })
})

test('a manager that was made elsewhere is used, and stays open', async () => {
  const sessions = new SessionManager<Data>({ secret: SECRET, store: new MemoryStore() })
  class Handler extends SessionMixin<Data>()(RequestHandler) {
    get() {
      this.session.set('login', 'alice')
    }
  }
  const app = new Application([['/', Handler]], { sessions })
  const { url } = await app.listen(0, '127.0.0.1')
  const browser = new Browser(url)
  await browser.get('/')
  await app.close()
  const session = await sessions.open(await browser.jar.getCookieString(url))
  expect(session.get('login')).toBe('alice')
  await sessions.close()
})

describe('SessionMixin over any class with a request and a response', async () => {
  class Page {
    readonly request: IncomingMessage
    readonly response: ServerResponse
    constructor(request: IncomingMessage, response: ServerResponse) {
      this.request = request
      this.response = response
    }
  }
  const store = new MemoryStore()
  const sessions = new SessionManager({ secret: SECRET, store })
  class Login extends SessionMixin(Page, sessions) {
    async run() {
      await this.openSession()
      this.session.set('path', this.request.url)
      this.response.end(`was ${String(this.session.established)}`)
    }
  }
  const server = createServer((request, response) => void new Login(request, response).run())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  afterAll(() => server.close())

  test('stores the session before anything of its response leaves', async () => {
    const browser = new Browser(url)
    const first = await browser.get('/x')
    expect([first.body, first.cookies.length]).toEqual(['was false', 1])
    const session = await sessions.open(await browser.jar.getCookieString(url))
    expect(session.get('path')).toBe('/x')
    expect((await browser.get('/y')).body).toBe('was true')
  })

  test('answers 503 without a cookie when the session cannot be stored', async () => {
    await sessions.close()
    const reply = await new Browser(url).get('/')
    expect([reply.status, reply.cookies]).toEqual([503, []])
  })

  test('opens it in prepare() too, before the one of the class', async () => {
    const manager = new SessionManager({ secret: SECRET, store: new MemoryStore() })
    const order: unknown[] = []
    class Base extends Page {
      async prepare(step: string) {
        order.push(step)
      }
    }
    class Prepared extends SessionMixin(Base, manager) {}
    const request = new IncomingMessage(new Socket())
    const response = new ServerResponse(request)
    const page = new Prepared(request, response)
    expect(() => page.session).toThrow(/openSession/)
    await page.prepare('own')
    expect([order, page.session.established]).toEqual([['own'], false])
  })

  test('needs the manager', () => {
    expect(() => SessionMixin(Page)).toThrow(/SessionMixin\(Base, sessions\)/)
  })
})
