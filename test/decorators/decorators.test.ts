import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, expectTypeOf, test } from 'vitest'
import { requireSession, requireUser, sessionValue } from '../../src/decorators/index.ts'
import { SessionManager } from '../../src/manager.ts'
import type { Session } from '../../src/session.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { RequestHandler, SessionMixin, authenticated } from '../../src/tornado/index.ts'
import { Browser } from '../tornado/browser.ts'
import { IN_MEMORY, run } from '../tornado/running.ts'

interface Data {
  name?: string
  views?: number
  cart?: string[]
}

abstract class Shop extends SessionMixin<Data>()(RequestHandler) {
  @sessionValue('name') accessor name: string | undefined
  @sessionValue('views', 0) accessor views!: number
}

class PageHandler extends Shop {
  get() {
    this.views++
    this.name = this.getArgument('name', '') || this.name
    this.write({ name: this.name ?? 'nobody', views: this.views, kept: this.session.get('views') })
  }

  delete() {
    this.name = undefined
    this.write({ has: this.session.has('name') })
  }
}

class LoginHandler extends Shop {
  get() {
    this.session.login('ann')
    this.write('welcome')
  }
}

class CartHandler extends Shop {
  @requireSession('cart')
  get() {
    this.write({ cart: this.session.get('cart', []) })
  }

  @requireSession()
  post() {
    this.session.set('cart', ['tea'])
  }
}

class AccountHandler extends Shop {
  @requireUser
  async get(): Promise<void> {
    await Promise.resolve()
    this.write(`hello ${this.session.user}`)
  }

  put = requireUser(function (this: AccountHandler) {
    this.write('changed')
  })
}

class ProfileHandler extends Shop {
  @authenticated
  async get(): Promise<void> {
    await Promise.resolve()
    this.write(`profile of ${this.session.user}`)
  }

  @authenticated
  post() {
    this.write('posted')
  }

  put = authenticated(function (this: ProfileHandler) {
    this.write('put')
  })
}

const { visitor } = await run(
  [
    ['/', PageHandler],
    ['/login', LoginHandler],
    ['/cart', CartHandler],
    ['/account', AccountHandler],
    ['/profile', ProfileHandler],
  ],
  { ...IN_MEMORY, loginUrl: '/login', logFunction: () => undefined },
)

test('an accessor reads and writes a value of the session', async () => {
  const ann = visitor()
  expect(JSON.parse((await ann.get('/?name=ann')).body)).toEqual({ name: 'ann', views: 1, kept: 1 })
  expect(JSON.parse((await ann.get('/')).body)).toEqual({ name: 'ann', views: 2, kept: 2 })
  const bob = await visitor().get('/')
  expect(JSON.parse(bob.body)).toEqual({ name: 'nobody', views: 1, kept: 1 })
})

test('an accessor that is set to undefined deletes the value', async () => {
  const ann = visitor()
  await ann.get('/?name=ann')
  expect(JSON.parse((await ann.send('/', { method: 'DELETE' })).body)).toEqual({ has: false })
  expect(JSON.parse((await ann.get('/')).body)).toMatchObject({ name: 'nobody' })
})

test('a method that requires a user is answered with 401 until somebody has logged in', async () => {
  const ann = visitor()
  expect((await ann.get('/account')).status).toBe(401)
  expect((await ann.send('/account', { method: 'PUT' })).status).toBe(401)
  await ann.get('/')
  expect((await ann.get('/account')).status).toBe(401)
  await ann.get('/login')
  expect((await ann.get('/account')).body).toBe('hello ann')
  expect((await ann.send('/account', { method: 'PUT' })).body).toBe('changed')
})

test('a method that requires a session, or a value in it, is answered with 401 until it is there', async () => {
  const ann = visitor()
  expect((await ann.send('/cart', { method: 'POST' })).status).toBe(401)
  await ann.get('/')
  expect((await ann.get('/cart')).status).toBe(401)
  expect((await ann.send('/cart', { method: 'POST' })).status).toBe(200)
  expect(JSON.parse((await ann.get('/cart')).body)).toEqual({ cart: ['tea'] })
})

test('authenticated sends visitors to the login, as a decorator and around a function', async () => {
  const ann = visitor()
  const sent = await ann.get('/profile')
  expect([sent.status, sent.headers['location']]).toEqual([302, '/login?next=%2Fprofile'])
  expect((await ann.send('/profile', { method: 'POST' })).status).toBe(403)
  expect((await ann.send('/profile', { method: 'PUT' })).status).toBe(403)
  await ann.get('/login')
  expect((await ann.get('/profile')).body).toBe('profile of ann')
  expect((await ann.send('/profile', { method: 'POST' })).body).toBe('posted')
  expect((await ann.send('/profile', { method: 'PUT' })).body).toBe('put')
})

test('any class with a session can be decorated', async () => {
  const sessions = new SessionManager<Data>({ secret: SECRET, store: new MemoryStore() })
  abstract class Base {
    readonly request: IncomingMessage
    readonly response: ServerResponse
    constructor(request: IncomingMessage, response: ServerResponse) {
      this.request = request
      this.response = response
    }
    abstract answer(): void
  }
  class Page extends SessionMixin<Data>(sessions)(Base) {
    @sessionValue('views', 0) accessor views!: number
    @requireUser
    secret() {
      this.response.end('secret')
    }
    answer() {
      this.views += 1
      this.response.end(`${this.views}`)
    }
  }
  const server = createServer((request, response) => {
    const page = new Page(request, response)
    void page.openSession().then(() => {
      try {
        if (request.url === '/secret') page.secret()
        else page.answer()
      } catch (error) {
        response.statusCode = Number(Reflect.get(Object(error), 'status'))
        response.end(String(Reflect.get(Object(error), 'code')))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const browser = new Browser(`http://localhost:${port}`)
    expect((await browser.get('/')).body).toBe('1')
    expect((await browser.get('/')).body).toBe('2')
    const refused = await browser.get('/secret')
    expect([refused.status, refused.body]).toEqual([401, 'ERR_SESSION_REQUIRED'])
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await sessions.close()
  }
})

test('what cannot work is refused with what to do', () => {
  class Base {
    readonly session = {} as Session<Data>
  }
  class Started extends Base {
    @sessionValue('views', 0) accessor views: number = 7
  }
  expect(() => new Started()).toThrow(/no initial value.*sessionValue\('views', fallback\)/)
  const older = [Base.prototype, 'get', {}]
  for (const decorator of [requireUser, requireSession(), sessionValue('views')]) {
    expect(() => Reflect.apply(decorator, undefined, older)).toThrow(
      expect.objectContaining({
        code: 'ERR_SESSION_MISUSE',
        message: expect.stringContaining('experimentalDecorators'),
      }),
    )
  }
})

test('the types are those of the session', () => {
  expectTypeOf<PageHandler['views']>().toEqualTypeOf<number>()
  expectTypeOf<PageHandler['name']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<AccountHandler['get']>().returns.toEqualTypeOf<Promise<void>>()

  abstract class Mistakes extends Shop {
    // @ts-expect-error no such name
    @sessionValue('nmae') accessor a: string | undefined
    // @ts-expect-error a name is text
    @sessionValue('name') accessor b: number | undefined
    // @ts-expect-error without a fallback it may be undefined
    @sessionValue('views') accessor c!: number
    // @ts-expect-error no such name
    @requireSession('crat')
    d() {}
  }
  class NoSession {
    // @ts-expect-error the class has no session
    @requireUser
    get() {}
    // @ts-expect-error the class has no session
    @sessionValue('views') accessor views: number | undefined
  }
  expect([Mistakes, NoSession]).toHaveLength(2)
})

const SECRET = 'a secret for tests, of no less than 32 bytes'
