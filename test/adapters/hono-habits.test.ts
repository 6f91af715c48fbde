import { serve } from '@hono/node-server'
import type { ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { stream } from 'hono/streaming'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { session } from '../../src/adapters/hono.ts'
import type { SessionEnv } from '../../src/adapters/hono.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

type Handler = (c: Context<SessionEnv>) => Response | Promise<Response>

let server: ServerType | undefined

afterEach(() => new Promise<unknown>((resolve) => server?.close(resolve)))

/** An application on Node, as its users serve it: where it is. */
async function served(handler: Handler): Promise<string> {
  const app = new Hono<SessionEnv>()
  app.use(session(testSessions().sessions))
  app.get('/', (c) => c.text(`${c.var.session.increment('views')}`))
  app.get('/late', (c) => c.text(String(c.var.session.get('late'))))
  app.get('/page', handler)
  const options = { fetch: app.fetch, hostname: '127.0.0.1', port: 0 }
  const { port } = await new Promise<AddressInfo>((resolve) => {
    server = serve(options, resolve)
  })
  return `http://127.0.0.1:${port}`
}

/** Asks it for the page, for a visitor whose session has begun. */
async function visiting(handler: Handler): Promise<() => Promise<Response>> {
  const url = await served(handler)
  const first = await fetch(url)
  const headers = { cookie: cookieOf(first.headers.getSetCookie()) }
  return () => fetch(`${url}/page`, { headers })
}

test('a response that gets no cookie is the one that was made, and grows by Vary', async () => {
  const made: Response[] = []
  const ask = await visiting((c) => {
    made.push(c.text(String(c.var.session.get('views')), 200, { Vary: 'Accept' }))
    return made.at(-1) as Response
  })
  const answer = await ask()
  expect(await answer.text()).toBe('1')
  expect(answer.headers.get('vary')).toBe('Accept, Cookie')
  expect(made[0]?.headers.get('vary')).toBe('Accept, Cookie')
})

test('text is sent as it is without sessions, not as a stream', async () => {
  const ask = await visiting((c) => c.text(String(c.var.session.get('views'))))
  const { headers } = await ask()
  expect(headers.get('content-length')).toBe('1')
  expect(headers.get('content-type')).toBe('text/plain; charset=UTF-8')
})

const late: Record<string, Handler> = {
  'stream()': (c) =>
    stream(c, async (writing) => {
      await writing.write('begun')
      await sleep(20)
      c.var.session.increment('late')
    }),
  'a stream without a type': (c) => c.body(streamThat(() => c.var.session.increment('late'))),
  'a stream of text': (c) =>
    new Response(
      streamThat(() => c.var.session.increment('late')),
      { headers: { 'Content-Type': 'text/plain; charset=UTF-8' } },
    ),
  'a stream of JSON': (c) =>
    c.body(
      streamThat(() => c.var.session.increment('late')),
      200,
      { 'Content-Type': 'application/json' },
    ),
}

function streamThat(ends: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      controller.enqueue(new TextEncoder().encode('begun'))
      await sleep(20)
      ends()
      controller.close()
    },
  })
}

test.each(Object.entries(late))(
  'what is set while %s goes on is stored before its end',
  async (_, handler) => {
    let seen: unknown
    const ask = await visiting((c) => {
      seen = c.var.session.get('late')
      return handler(c)
    })
    for (const expected of [undefined, 1, 2]) {
      expect(await (await ask()).text()).toBe('begun')
      expect(seen).toBe(expected)
    }
  },
)

test.each(Object.keys(late))('so it is while %s goes on that begins the session', async (kind) => {
  const url = await served((c) => {
    c.var.session.set('late', 10)
    return late[kind]?.(c) ?? c.notFound()
  })
  const begun = await fetch(`${url}/page`)
  expect(await begun.text()).toBe('begun')
  const headers = { cookie: cookieOf(begun.headers.getSetCookie()) }
  expect(await (await fetch(`${url}/late`, { headers })).text()).toBe('11')
})
