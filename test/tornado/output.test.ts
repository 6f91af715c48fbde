import { describe, expect, test } from 'vitest'
import { HttpError, RequestHandler } from '../../src/tornado/index.ts'
import { fetchRaw } from './browser.ts'
import { run } from './running.ts'

type Verb = (handler: RequestHandler) => unknown

/** A handler whose GET and HEAD do this. */
function doing(verb: Verb) {
  return class extends RequestHandler {
    get() {
      return verb(this)
    }
    head() {
      return verb(this)
    }
  }
}

async function serve(verb: Verb) {
  const running = await run([['/', doing(verb)]])
  return { ...running, reply: await fetchRaw(running.url) }
}

describe('write', () => {
  test('sends text as UTF-8 and bytes as they are', async () => {
    const { reply } = await serve((handler) => {
      handler.write('张😀')
      handler.write(Buffer.from([0x21]))
    })
    expect(reply.body).toBe('张😀!')
    expect(reply.headers['content-length']).toBe('8')
    expect(reply.headers['content-type']).toBe('text/html; charset=UTF-8')
  })

  test('sends a plain object as JSON that cannot end a script element', async () => {
    const { reply } = await serve((handler) => handler.write({ a: '</script>', b: [1] }))
    expect(reply.headers['content-type']).toBe('application/json; charset=UTF-8')
    expect(reply.body).toBe(String.raw`{"a":"<\/script>","b":[1]}`)
  })

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [1, 'number'],
    [[1], 'an array'],
    [new Map(), 'a Map'],
    [() => 1, 'function'],
  ])('refuses %o, with a log entry that says what it takes', async (value, name) => {
    const { reply, log } = await serve((handler) => handler.write(value as unknown as string))
    expect(reply.status).toBe(500)
    expect(reply.body).toBe(
      '<html><title>500: Internal Server Error</title><body>500: Internal Server Error</body></html>',
    )
    expect(log[0]?.errors).toEqual([
      expect.objectContaining({
        code: 'ERR_SESSION_MISUSE',
        message: expect.stringContaining(`plain object (sent as JSON), not ${name}`),
      }),
    ])
  })

  test('after finish is an error in the log; the response is as it was finished', async () => {
    const { reply, log } = await serve(async (handler) => {
      await handler.finish('done')
      handler.write('more')
    })
    expect(reply.body).toBe('done')
    expect(log[0]?.errors).toHaveLength(1)
  })
})

describe('status and headers', () => {
  test('are as they were set; a reason that could be read as HTML is not sent', async () => {
    const { reply } = await serve((handler) => {
      handler.setStatus(299, 'Fine')
      handler.setHeader('X-Time', new Date(0))
      handler.addHeader('X-Many', 1)
      handler.addHeader('X-Many', 2)
      handler.setHeader('X-Gone', 'x')
      handler.clearHeader('x-gone')
    })
    expect([reply.status, reply.reason]).toEqual([299, 'Fine'])
    expect(reply.headers['x-time']).toBe('Thu, 01 Jan 1970 00:00:00 GMT')
    expect(reply.headers['x-many']).toBe('1, 2')
    expect(reply.headers['x-gone']).toBeUndefined()
    expect((await serve((handler) => handler.setStatus(299, '<b>'))).reply.reason).toBe('Unknown')
    expect((await serve((handler) => handler.setStatus(299))).reply.reason).toBe('Unknown')
  })

  test.each(['a\r\nSet-Cookie: b=c', '张'])('a header cannot hold %j', async (value) => {
    const { reply, log } = await serve((handler) => handler.setHeader('X', value))
    expect(reply.status).toBe(500)
    expect(reply.cookies).toEqual([])
    expect(log[0]?.errors).toEqual([expect.objectContaining({ code: 'ERR_SESSION_MISUSE' })])
  })

  test.each([100, 1000, 200.5, Number.NaN])(
    'a response cannot have the status %d',
    async (status) => {
      expect((await serve((handler) => handler.setStatus(status))).reply.status).toBe(500)
    },
  )

  test('a 204 with a body is a mistake, without one it is fine', async () => {
    const wrong = await serve((handler) => {
      handler.setStatus(204)
      handler.write('x')
    })
    expect(wrong.reply.status).toBe(500)
    const { reply } = await serve((handler) => handler.setStatus(204))
    expect([reply.status, reply.headers['content-length']]).toEqual([204, undefined])
  })
})

describe('redirect', () => {
  test('is 302, or 301 when permanent, or another status; what was written is sent', async () => {
    const { reply } = await serve((handler) => {
      handler.write('body')
      handler.redirect('/a b/张?x=1')
    })
    expect([reply.status, reply.headers.location, reply.body]).toEqual([
      302,
      '/a b/%E5%BC%A0?x=1',
      'body',
    ])
    expect((await serve((handler) => handler.redirect('/', true))).reply.status).toBe(301)
    expect((await serve((handler) => handler.redirect('/', false, 303))).reply.status).toBe(303)
  })

  test('to a line break, or with another status than 3xx, is an error', async () => {
    expect((await serve((handler) => handler.redirect('/\r\nX: y'))).reply.status).toBe(500)
    expect((await serve((handler) => handler.redirect('/', false, 200))).reply.status).toBe(500)
  })
})

describe('errors', () => {
  test('an exception is a 500 without details, and is logged once', async () => {
    const { reply, log } = await serve((handler) => {
      handler.setHeader('X-Was', 'set')
      handler.write('written')
      throw new Error('the password is 1234')
    })
    expect(reply.status).toBe(500)
    expect(reply.body).toBe(
      '<html><title>500: Internal Server Error</title><body>500: Internal Server Error</body></html>',
    )
    expect(reply.headers['x-was']).toBeUndefined()
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(log).toHaveLength(1)
    expect(log[0]?.errors).toEqual([expect.objectContaining({ message: 'the password is 1234' })])
  })

  test.each(['throw a string', undefined])('whatever is thrown is a 500: %s', async (thrown) => {
    const { reply, log } = await serve(async () => {
      throw thrown
    })
    expect(reply.status).toBe(500)
    expect(log[0]?.errors).toEqual([thrown])
  })

  test('sendError discards the body and keeps cookies', async () => {
    const { reply } = await serve((handler) => {
      handler.setCookie('a', 'b')
      handler.write('written')
      handler.sendError(418)
    })
    expect([reply.status, reply.cookies, reply.body.includes('written')]).toEqual([
      418,
      ['a=b; Path=/'],
      false,
    ])
  })

  test('HttpError adds headers to the page', async () => {
    const { reply } = await serve(() => {
      throw new HttpError(429, undefined, { headers: { 'Retry-After': '5' } })
    })
    expect([reply.status, reply.headers['retry-after']]).toEqual([429, '5'])
  })

  test('writeError makes other pages; if it fails itself there is the plain one', async () => {
    class Own extends RequestHandler {
      override writeError(status: number) {
        if (this.getArgument('fail', '') !== '') throw new Error('in writeError')
        this.write({ status })
      }
      get() {
        throw new HttpError(403)
      }
    }
    const { url, log } = await run([['/', Own]])
    expect((await fetchRaw(url)).body).toBe('{"status":403}')
    const failed = await fetchRaw(`${url}/?fail=1`)
    expect([failed.status, failed.body.includes('403: Forbidden')]).toEqual([403, true])
    expect(log[1]?.errors).toHaveLength(1)
  })

  test('what onFinish throws is logged and hurts nobody', async () => {
    class Failing extends RequestHandler {
      get() {}
      override onFinish() {
        throw new Error('too late')
      }
    }
    const { url, nextEntry } = await run([['/', Failing]])
    const entry = nextEntry()
    expect((await fetchRaw(url)).status).toBe(200)
    expect((await entry).errors).toHaveLength(1)
  })

  test('a class that cannot be constructed is a 500', async () => {
    class Broken extends RequestHandler {
      readonly broken: string = this.missing()
      missing(): string {
        throw new Error('constructor')
      }
    }
    const { url, log } = await run([['/', Broken]])
    expect((await fetchRaw(url)).status).toBe(500)
    expect(log[0]).toMatchObject({ status: 500, errors: [{ message: 'constructor' }] })
  })
})

describe('the tag of a response', () => {
  test('answers 304 without a body to who has it, weakly compared', async () => {
    const { url, reply } = await serve((handler) => handler.write('hello'))
    const tag = reply.headers.etag ?? ''
    expect(tag).toBe('"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"')
    for (const known of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const again = await fetchRaw(url, { headers: { 'if-none-match': known } })
      expect([again.status, again.body, again.headers['content-type']]).toEqual([
        304,
        '',
        undefined,
      ])
    }
    expect((await fetchRaw(url, { headers: { 'if-none-match': '"x"' } })).status).toBe(200)
  })

  test('is left out when the response sets a cookie: it is never a 304', async () => {
    const { url, reply } = await serve((handler) => {
      handler.setCookie('a', 'b')
      handler.write('hello')
    })
    expect(reply.headers.etag).toBeUndefined()
    expect((await fetchRaw(url, { headers: { 'if-none-match': '*' } })).status).toBe(200)
  })

  test('HEAD has the headers and no body', async () => {
    const { url } = await serve((handler) => handler.write('hello'))
    const reply = await fetchRaw(url, { method: 'HEAD' })
    expect([reply.status, reply.body, reply.headers['content-length']]).toEqual([200, '', '5'])
    expect(reply.headers.etag).toBeDefined()
  })
})
