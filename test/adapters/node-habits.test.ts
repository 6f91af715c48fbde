import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { getSession, session } from '../../src/adapters/node.ts'
import type { NodeOptions } from '../../src/adapters/node.ts'
import type { Session } from '../../src/session.ts'
import { Servers } from './support/gate.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

const servers = new Servers()
afterEach(() => servers.close())

type Handler = (request: IncomingMessage, response: ServerResponse, session: Session) => unknown

async function serve(handler: Handler, options: NodeOptions = {}) {
  const { sessions, store } = testSessions()
  const errors: unknown[] = []
  const handle = session(sessions, { onError: (error) => errors.push(error), ...options })(
    handler as never,
  ) as (request: IncomingMessage, response: ServerResponse) => void
  const { port } = await servers.http((response, request) => handle(request, response))
  return { url: `http://127.0.0.1:${port}`, sessions, store, errors }
}

describe('on node:http', () => {
  test('an error before the first byte is answered, and what was done before is stored', async () => {
    const failure = Object.assign(new Error('secret details'), { status: 422 })
    const { url, errors } = await serve((request, response, opened) => {
      if (request.url === '/again') return response.end(String(opened.get('a')))
      opened.set('a', 1)
      throw failure
    })
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([422, 'Request refused.\n'])
    expect(errors).toEqual([failure])
    const cookie = cookieOf(answer.headers.getSetCookie())
    expect(await (await fetch(`${url}/again`, { headers: { cookie } })).text()).toBe('1')
  })

  test('an error after the first byte cuts the response off, and what was done is stored', async () => {
    const { url, errors } = await serve(async (request, response, opened) => {
      if (request.url === '/again') return response.end(JSON.stringify([...opened]))
      opened.set('a', 1)
      await new Promise((written) => response.write('begun', written))
      throw new Error('in the middle')
    })
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow('terminated')
    expect(errors).toHaveLength(1)
    const cookie = cookieOf(answer.headers.getSetCookie())
    expect(await (await fetch(`${url}/again`, { headers: { cookie } })).json()).toEqual([['a', 1]])
  })

  test('what cannot be begun after the first byte says so, and the response goes on', async () => {
    const { url } = await serve((_request, response, opened) => {
      response.write('begun ')
      const attempt = () => {
        try {
          opened.login('ann')
          return 'logged in'
        } catch (error) {
          return String(Reflect.get(Object(error), 'code'))
        }
      }
      // Nothing is stored of a visitor who had nothing: the headers leave at once.
      response.end(attempt())
    })
    const answer = await fetch(url)
    expect(await answer.text()).toBe('begun ERR_SESSION_HEADERS_SENT')
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  test('a request that is skipped has no session, and says so when it is asked for', async () => {
    const { url, errors } = await serve(
      (request, _response, opened) => {
        expect(opened).toBeUndefined()
        return getSession(request)
      },
      { skip: () => true },
    )
    expect((await fetch(url)).status).toBe(500)
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SESSION_MISUSE' })])
  })
})
