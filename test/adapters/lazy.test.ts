import { createServer } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { afterEach, expect, test } from 'vitest'
import { getSession as ofExpress, session as forExpress } from '../../src/adapters/express.ts'
import { getSession as ofHono, session as forHono } from '../../src/adapters/hono.ts'
import { getSession as ofNode, session as forNode } from '../../src/adapters/node.ts'
import type { NodeHttpRequest, NodeHttpResponse } from '../../src/adapters/node.ts'
import type { Session } from '../../src/session.ts'
import { listening } from './support/serve.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

type Open = () => Promise<Session>
type Answer = (response: Written, open: Open) => Promise<unknown>

interface Written {
  write(text: string): unknown
  end(text: string): unknown
}

interface Seen {
  readonly status: number | undefined
  readonly text: string
  readonly cookies: readonly string[]
}

type Get = (cookie?: string) => Promise<Seen>

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const lazy = { lazy: true }

const servers: Record<string, (answer: Answer) => Promise<Get>> = {
  'node:http': (answer) => over1(createServer(onNode(answer))),
  'node:http2': (answer) => over2(createHttp2Server(onNode(answer))),
  async express(answer) {
    const app = express().use(forExpress(testSessions().sessions, lazy))
    app.get('/', (request, response) => answer(response, () => ofExpress(request)))
    return over1(createServer(app))
  },
}

function onNode(answer: Answer) {
  return forNode(
    testSessions().sessions,
    lazy,
  )((request: NodeHttpRequest, response: NodeHttpResponse) =>
    answer(response, () => ofNode(request)),
  )
}

async function over1(server: ReturnType<typeof createServer>): Promise<Get> {
  const port = await portOf(server)
  return async (cookie) => {
    const headers = cookie === undefined ? {} : { cookie }
    const answer = await fetch(`http://127.0.0.1:${port}`, { headers })
    const { status, headers: given } = answer
    return { status, text: await answer.text(), cookies: given.getSetCookie() }
  }
}

async function over2(server: ReturnType<typeof createHttp2Server>): Promise<Get> {
  const client = connect(`http://127.0.0.1:${await portOf(server)}`)
  closing.push(() => client.destroy())
  return async (cookie) => {
    const asking = client.request(cookie === undefined ? {} : { cookie })
    let [status, cookies]: [number | undefined, readonly string[]] = [undefined, []]
    asking.on('response', (given) => {
      ;[status, cookies] = [given[':status'], given['set-cookie'] ?? []]
    })
    let text = ''
    for await (const chunk of asking.setEncoding('utf8')) text += String(chunk)
    return { status, text, cookies }
  }
}

async function portOf(server: Parameters<typeof listening>[0]): Promise<number> {
  const listens = await listening(server)
  closing.push(() => listens.close())
  return listens.port
}

// What writes is looked up before its arguments are there.
const writing: Record<string, Answer> = {
  end: async (response, open) => response.end(await view(open)),
  write: async (response, open) => {
    response.write(await view(open))
    response.end('')
  },
}

async function view(open: Open): Promise<string> {
  return `view ${(await open()).increment('views')}`
}

const cases = Object.keys(servers).flatMap((name) =>
  Object.keys(writing).map((method) => [name, method] as const),
)

test.each(cases)(
  'on %s a session may be opened among the arguments of %s',
  async (name, method) => {
    const get = await servers[name]?.(writing[method] as Answer)
    const first = await get?.()
    expect(first).toMatchObject({ status: 200, text: 'view 1' })
    const again = await get?.(cookieOf(first?.cookies))
    expect(again).toMatchObject({ status: 200, text: 'view 2' })
  },
)

test.each(Object.keys(servers))(
  'on %s a session that is opened after the first byte is stored, and can set no cookie',
  async (name) => {
    let begins = false
    const get = await servers[name]?.(async (response, open) => {
      if (begins) (await open()).login('ann')
      response.write('begun ')
      response.end(await late(open))
    })
    expect(await get?.()).toMatchObject({ text: 'begun ERR_SESSION_HEADERS_SENT', cookies: [] })
    begins = true
    const login = await get?.()
    begins = false
    const cookie = cookieOf(login?.cookies)
    const texts = [login?.text, (await get?.(cookie))?.text, (await get?.(cookie))?.text]
    expect(texts).toEqual(['begun 1', 'begun 2', 'begun 3'])
  },
)

async function late(open: Open): Promise<string> {
  try {
    return String((await open()).increment('late'))
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'))
  }
}

test('in Hono a session that is opened while a stream goes on is stored, and can set no cookie', async () => {
  const app = new Hono().use(forHono(testSessions().sessions, lazy))
  app.get('/login', async (c) => {
    const session = await ofHono(c)
    session.login('ann')
    return c.body(null)
  })
  app.get('/', (c) =>
    stream(c, async (body) => {
      await body.write('begun ')
      await sleep(10)
      await body.write(await late(() => ofHono(c)))
    }),
  )
  const cookie = cookieOf((await app.request('/login')).headers.getSetCookie())
  const texts: string[] = []
  for (const headers of [{}, { cookie }, { cookie }]) {
    texts.push(await (await app.request('/', { headers })).text())
  }
  expect(texts).toEqual(['begun ERR_SESSION_HEADERS_SENT', 'begun 1', 'begun 2'])
})
