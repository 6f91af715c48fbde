import { describe, expect, test } from 'vitest'
import { RequestHandler, authenticated } from '../../src/tornado/index.ts'
import type { Settings } from '../../src/tornado/index.ts'
import { createSignedValue } from '../../src/tornado/index.ts'
import { SECRET, run } from './running.ts'

describe('authenticated', () => {
  let asked = 0
  class Private extends RequestHandler {
    override getCurrentUser() {
      asked++
      return this.getCookie('user')
    }
    get = authenticated(function (this: Private, ...groups: string[]) {
      this.write(`hello ${this.currentUser} ${this.currentUser} ${groups.join()}`)
    })
    post = authenticated(async function (this: Private) {
      this.write('posted')
    })
  }
  const start = (settings: Settings) => run([['/private/(.*)', Private]], settings)

  test('lets users in, and asks who they are once', async () => {
    const { visitor } = await start({})
    asked = 0
    const user = visitor({ cookie: 'user=alice' })
    expect((await user.get('/private/x')).body).toBe('hello alice alice x')
    expect(asked).toBe(1)
    expect((await user.post('/private/x')).body).toBe('posted')
  })

  test('sends others to log in, with the way back; what is not GET is 403', async () => {
    const { visitor } = await start({ loginUrl: '/login' })
    const reply = await visitor().get('/private/x?a=b%20c')
    expect([reply.status, reply.headers.location]).toEqual([
      302,
      '/login?next=%2Fprivate%2Fx%3Fa%3Db%2520c',
    ])
    expect((await visitor().post('/private/x')).status).toBe(403)
  })

  test('gives the whole address to a login page elsewhere, and nothing to one that has a query', async () => {
    const elsewhere = await start({ loginUrl: 'https://login.test/in' })
    const reply = await elsewhere.visitor({ host: 'here.test' }).get('/private/x')
    expect(reply.headers.location).toBe(
      'https://login.test/in?next=http%3A%2F%2Fhere.test%2Fprivate%2Fx',
    )
    const query = await start({ loginUrl: '/login?a=b' })
    expect((await query.visitor().get('/private/x')).headers.location).toBe('/login?a=b')
  })

  test('without loginUrl is an error that says so', async () => {
    const { visitor, log } = await start({})
    expect((await visitor().get('/private/x')).status).toBe(500)
    expect(log[0]?.errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining('Set loginUrl') }),
    ])
  })

  test('currentUser can be set in prepare', async () => {
    class Prepared extends Private {
      override async prepare() {
        this.currentUser = 'bob'
      }
    }
    const { visitor } = await run([['/(.*)', Prepared]])
    expect((await visitor().get('/')).body).toBe('hello bob bob ')
  })
})

describe('the xsrf protection', async () => {
  class Form extends RequestHandler {
    get() {
      this.write(this.xsrfFormHtml())
    }
    post() {
      this.write(`posted ${this.getArgument('a', '')}`)
    }
    put() {
      this.write('put')
    }
  }
  const { visitor } = await run([['/', Form]], {
    xsrfCookies: true,
    xsrfTrustedOrigins: ['https://shop.example'],
  })
  const tokenIn = (html: string) => /value="([^"]+)"/.exec(html)?.[1] ?? ''

  test('accepts what a form of ours sends, and the token in a header', async () => {
    const browser = visitor()
    const form = await browser.get('/')
    expect(form.cookies[0]).toMatch(
      /^_xsrf=2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d+; Path=\/; SameSite=Lax$/,
    )
    const token = tokenIn(form.body)
    expect((await browser.post('/', { _xsrf: token, a: 'b' })).body).toBe('posted b')
    const headers = { 'x-xsrftoken': token }
    expect((await browser.send('/', { method: 'PUT', headers })).body).toBe('put')
  })

  test('gives another text for the same token in every response, and sets the cookie once', async () => {
    const browser = visitor()
    const [first, second] = [await browser.get('/'), await browser.get('/')]
    expect(tokenIn(second.body)).not.toBe(tokenIn(first.body))
    expect(second.cookies).toEqual([])
    expect((await browser.post('/', { _xsrf: tokenIn(first.body) })).status).toBe(200)
  })

  test.each([
    ['no token', {}],
    ['an empty one', { _xsrf: '' }],
    ['garbage', { _xsrf: 'abc' }],
    ['another version', { _xsrf: '3|a|b|c' }],
    ['another token', { _xsrf: '2|a1b2c3d4|a1a3e1e7e5e7a5a3292b696f6d6f2d2b|1700000000' }],
  ])('refuses %s', async (_, fields) => {
    const browser = visitor()
    await browser.get('/')
    const reply = await browser.post('/', fields)
    expect(reply.status).toBe(403)
  })

  test('refuses a short token that was planted as cookie and field alike', async () => {
    const browser = visitor({ cookie: '_xsrf=abc' })
    expect((await browser.post('/', { _xsrf: 'abc' })).status).toBe(403)
  })

  test.each([
    [{ origin: 'https://evil.test' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://sibling.localhost' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://shop.example' }, 200],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://shop.example:8443' }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, 200],
    [{}, 200],
  ])('with the right token a request with %j is %d', async (said, status) => {
    const browser = visitor()
    const token = tokenIn((await browser.get('/')).body)
    const headers = { ...said, 'x-csrftoken': token }
    expect((await browser.send('/', { method: 'POST', headers })).status).toBe(status)
  })
})

describe('cookies of a handler', () => {
  class Cookies extends RequestHandler {
    get() {
      this.setCookie('a', '1')
      this.setCookie('a', '2', { httpOnly: true })
      this.clearCookie('b', { path: '/x' })
      this.write({ a: this.getCookie('a', 'none'), signed: this.getSignedCookie('s') ?? 'none' })
    }
    post() {
      this.setSignedCookie('s', '张三')
    }
  }
  const start = (settings: Settings) => run([['/', Cookies]], settings)

  test('are those of the request; the last one that is set for a name counts', async () => {
    const { visitor } = await start({ cookieSecret: SECRET })
    const browser = visitor()
    const first = await browser.get('/')
    expect(JSON.parse(first.body)).toEqual({ a: 'none', signed: 'none' })
    expect(first.cookies[0]).toBe('a=2; HttpOnly; Path=/')
    expect(first.cookies[1]).toMatch(/^b=""; expires=.*; Path=\/x$/)
    expect(JSON.parse((await browser.get('/')).body).a).toBe('2')
  })

  test('signed ones come back, are HttpOnly, and cannot be altered', async () => {
    const { visitor } = await start({ cookieSecret: SECRET })
    const browser = visitor()
    const set = await browser.post('/')
    expect(set.cookies[0]).toMatch(
      /^s="?2\|1:0\|10:\d+\|1:s\|.*; expires=.*; HttpOnly; Path=\/; SameSite=Lax$/,
    )
    expect(JSON.parse((await browser.get('/')).body).signed).toBe('张三')
    const forged = createSignedValue('another secret', 's', 'mallory')
    const reply = await visitor({ cookie: `s="${forged}"` }).get('/')
    expect(JSON.parse(reply.body).signed).toBe('none')
  })

  test('are read with every secret of the settings, and written with the first', async () => {
    const { visitor } = await start({ cookieSecret: ['new secret', 'old secret'] })
    const signed = (secret: string) => ({ cookie: `s="${createSignedValue(secret, 's', 'x')}"` })
    for (const secret of ['new secret', 'old secret']) {
      expect(JSON.parse((await visitor(signed(secret)).get('/')).body).signed).toBe('x')
    }
  })

  test('with secrets by key version garbage is no cookie, and no error', async () => {
    const { visitor } = await start({ cookieSecret: { 1: 'one', 2: 'two' }, keyVersion: 2 })
    const browser = visitor()
    expect((await browser.post('/')).cookies[0]).toMatch(/^s="?2\|1:2\|/)
    expect(JSON.parse((await browser.get('/')).body).signed).toBe('张三')
    for (const garbage of ['garbage', 'a|1|b', '2|', '2|1:9|1:1|1:s|0:|x']) {
      const reply = await visitor({ cookie: `s=${garbage}` }).get('/')
      expect(JSON.parse(reply.body).signed).toBe('none')
    }
  })
})
