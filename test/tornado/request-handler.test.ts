import { describe, expect, test } from 'vitest'
import { HttpError, RequestHandler } from '../../src/tornado/index.ts'
import { fetchRaw } from './browser.ts'
import { run } from './running.ts'

class Echo extends RequestHandler {
  get(...groups: unknown[]) {
    this.write({ groups, all: this.getArguments('a'), query: this.getQueryArguments('a') })
  }

  post() {
    this.write({
      last: this.getArgument('a', 'none'),
      all: this.getArguments('a'),
      query: this.getQueryArguments('a'),
      body: this.getBodyArguments('a'),
      raw: this.getBodyArguments('a', false),
    })
  }
}

class Name extends RequestHandler {
  get() {
    this.write(this.getArgument('name'))
  }
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('routes', async () => {
  class Second extends RequestHandler {
    get() {
      this.write('second')
    }
  }
  const { url, app } = await run([
    ['/a/([^/]*)', Echo, {}, 'a'],
    ['/named/(?<x>.*)', Echo],
    ['/a.*', Second],
    [
      '/only-post',
      class extends RequestHandler {
        post() {}
        head() {}
      },
    ],
  ])

  test('the first that matches answers', async () => {
    expect((await fetchRaw(`${url}/a/x`)).body).toContain('"groups":["x"]')
    expect((await fetchRaw(`${url}/abc`)).body).toBe('second')
  })

  test('named groups come as one object', async () => {
    expect(JSON.parse((await fetchRaw(`${url}/named/y%20z`)).body)).toMatchObject({
      groups: [{ x: 'y z' }],
    })
  })

  test('none that matches is 404, for every method', async () => {
    for (const method of ['GET', 'POST', 'PROPFIND']) {
      const reply = await fetchRaw(`${url}/none`, { method })
      expect(reply.status).toBe(method === 'PROPFIND' ? 405 : 404)
    }
    const { body } = await fetchRaw(`${url}/none`)
    expect(body).toBe('<html><title>404: Not Found</title><body>404: Not Found</body></html>')
  })

  test('a method that the class does not have is 405 and names those that it has', async () => {
    const reply = await fetchRaw(`${url}/only-post`)
    expect(reply.status).toBe(405)
    expect(reply.headers.allow).toBe('HEAD, POST')
    expect((await fetchRaw(`${url}/a/x`, { method: 'HEAD' })).status).toBe(405)
    expect((await fetchRaw(`${url}/a/x`, { method: 'PURGE' })).status).toBe(405)
  })

  test('a path that is not UTF-8 is 400', async () => {
    expect((await fetchRaw(`${url}/a/%ff`)).status).toBe(400)
  })

  test('a name leads back to the path', () => {
    expect(app.reverseUrl('a', 'x y')).toBe('/a/x%20y')
    expect(() => app.reverseUrl('b')).toThrow(/no route named 'b'/)
  })
})

describe('arguments', async () => {
  const { url } = await run([
    ['/', Name],
    ['/echo', Echo],
  ])

  test('one that is missing is 400, and the page does not say why', async () => {
    const reply = await fetchRaw(url)
    expect(reply.status).toBe(400)
    expect(reply.body).not.toContain('name')
  })

  test('text is decoded, control characters are spaces, and it is trimmed', async () => {
    expect((await fetchRaw(`${url}/?name=%20a%00b+%E5%BC%A0%F0%9F%98%80%0A`)).body).toBe('a b 张😀')
    expect((await fetchRaw(`${url}/?name=`)).body).toBe('')
    expect((await fetchRaw(`${url}/?name=%ff`)).status).toBe(400)
  })

  test('the last one wins, those of the body after those of the query', async () => {
    const reply = await fetchRaw(`${url}/echo?a=1&a=2;3&b`, {
      method: 'POST',
      headers: FORM,
      body: 'a=4&a=+5+',
    })
    expect(JSON.parse(reply.body)).toEqual({
      last: '5',
      all: ['1', '2;3', '4', '5'],
      query: ['1', '2;3'],
      body: ['4', '5'],
      raw: ['4', ' 5 '],
    })
  })

  test('the request itself has them as bytes, with address, path and query', async () => {
    class Whole extends RequestHandler {
      put() {
        const { request } = this
        const lists = [...request.arguments].map(([name, values]) => [name, values.join()])
        this.write({ lists, url: request.fullUrl(), path: request.path, query: request.query })
      }
    }
    const running = await run([['/.*', Whole]])
    const sent = { method: 'PUT', headers: FORM, body: 'a=2&b=3' }
    const reply = await fetchRaw(`${running.url}/x%20y?a=1`, sent)
    expect(JSON.parse(reply.body)).toEqual({
      lists: [
        ['a', '1,2'],
        ['b', '3'],
      ],
      url: `${running.url}/x%20y?a=1`,
      path: '/x%20y',
      query: 'a=1',
    })
  })

  test('JSON is not parsed into arguments', async () => {
    const headers = { 'content-type': 'application/json' }
    const reply = await fetchRaw(`${url}/echo`, { method: 'POST', headers, body: '{"a":1}' })
    expect(JSON.parse(reply.body)).toMatchObject({ last: 'none', all: [] })
  })

  test('more than 10,000 of them are 400', async () => {
    const body = 'a&'.repeat(10_001)
    const many = await fetchRaw(`${url}/echo`, { method: 'POST', headers: FORM, body })
    expect(many.status).toBe(400)
  })

  test('names of object members are ordinary names', async () => {
    expect((await fetchRaw(`${url}/?__proto__=1&constructor=2`)).status).toBe(400)
  })
})

describe('the order of a request', async () => {
  const steps: string[] = []
  class Steps extends RequestHandler {
    override setDefaultHeaders() {
      steps.push('setDefaultHeaders')
      this.setHeader('X-Default', 'yes')
    }
    override initialize(options: object) {
      steps.push(`initialize ${JSON.stringify(options)}`)
    }
    override async prepare() {
      await Promise.resolve()
      steps.push('prepare')
      if (this.getArgument('stop', '') !== '') await this.finish('stopped')
      if (this.getArgument('refuse', '') !== '')
        throw new HttpError(409, 'for the log', { reason: 'No' })
    }
    async get() {
      await Promise.resolve()
      steps.push('get')
      this.write('got')
    }
    override onFinish() {
      steps.push('onFinish')
    }
  }
  const { url, nextEntry } = await run([['/', Steps, { x: 1 }]])

  async function stepsOf(path: string, method = 'GET') {
    steps.length = 0
    const ended = nextEntry()
    const reply = await fetchRaw(url + path, { method })
    return { reply, entry: await ended, steps: [...steps] }
  }

  test('is setDefaultHeaders, initialize, prepare, the method, onFinish', async () => {
    const { reply, steps } = await stepsOf('/')
    expect(steps).toEqual(['setDefaultHeaders', 'initialize {"x":1}', 'prepare', 'get', 'onFinish'])
    expect(reply.body).toBe('got')
    expect(reply.headers['content-type']).toBe('text/html; charset=UTF-8')
    expect(reply.headers['x-default']).toBe('yes')
  })

  test('leaves the method out if prepare finishes', async () => {
    const { reply, steps } = await stepsOf('/?stop=1')
    expect(reply.body).toBe('stopped')
    expect(steps).not.toContain('get')
    expect(steps.at(-1)).toBe('onFinish')
  })

  test('ends with the error page if prepare refuses; its message is for the log only', async () => {
    const { reply, entry, steps } = await stepsOf('/?refuse=1')
    expect(reply.status).toBe(409)
    expect(reply.body).toContain('409: No')
    expect(reply.body).not.toContain('for the log')
    expect(reply.headers['x-default']).toBe('yes')
    expect(entry).toMatchObject({ status: 409, message: 'for the log', path: '/', errors: [] })
    expect(steps.at(-1)).toBe('onFinish')
  })

  test('runs prepare for a method that the class does not have, but not for an unknown one', async () => {
    expect((await stepsOf('/', 'PUT')).steps).toContain('prepare')
    const unknown = await stepsOf('/', 'PROPFIND')
    expect(unknown.steps).not.toContain('prepare')
    expect(unknown.steps.at(-1)).toBe('onFinish')
  })
})
