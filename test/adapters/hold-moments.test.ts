import { once } from 'node:events'
import { connect } from 'node:net'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { hold } from '../../src/adapters/hold.ts'
import type { GateHooks } from '../../src/adapters/hold.ts'
import { SessionError } from '../../src/errors.ts'
import { COOKIE, NOTHING, Servers, later } from './support/gate.ts'
import { exchange, requestText } from './support/raw.ts'

const servers = new Servers()
afterEach(() => servers.close())

const outage = new SessionError('ERR_SESSION_STORE', 'The store cannot be reached. Try again.')
const failing = async (): Promise<never> => {
  await sleep(5)
  throw outage
}

async function answerOf(
  hooks: GateHooks,
  handle: (response: ServerResponse) => unknown,
  before?: (response: ServerResponse) => void,
): Promise<string> {
  const { port } = await servers.http((response, request) => {
    if (request.url === '/next') return response.end('next')
    before?.(response)
    hold(response, hooks)
    return handle(response)
  })
  const requests = requestText('GET', '/') + requestText('GET', '/next', ['Connection: close'])
  return exchange(port, requests)
}

describe('when what the request did cannot be stored', () => {
  const login = (response: ServerResponse): unknown => {
    response.setHeader('Set-Cookie', 'app=logged-in')
    return response.writeHead(200, { 'X-App': '1', 'Content-Length': 7 }).end('welcome')
  }

  test.each([
    ['later', { before: failing }],
    [
      'at once',
      {
        before: () => {
          throw outage
        },
      },
    ],
  ])('nothing of the application is sent, and the connection stays (%s)', async (_when, hooks) => {
    const answer = await answerOf(hooks, login)
    expect(answer).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/)
    expect(answer).not.toMatch(/welcome|X-App|Set-Cookie|reached/)
    expect(answer).toMatch(/next$/)
  })

  test('the framework answers instead, from a response as it was before', async () => {
    const seen: unknown[] = []
    const answer = await answerOf(
      { before: failing, fail: (error) => seen.push(error) },
      (response) => {
        void vi
          .waitFor(() => expect(seen).toEqual([outage]))
          .then(() => {
            response.statusCode = 503
            response.end('their page')
          })
        return login(response)
      },
      (response) => response.setHeader('X-Frame-Options', 'DENY'),
    )
    expect(answer).toMatch(/^HTTP\/1.1 503/)
    expect(answer).toMatch(/X-Frame-Options: DENY/i)
    expect(answer).toContain('their page')
    expect(answer).not.toMatch(/welcome|X-App|Set-Cookie/)
  })

  test('a framework that fails at that too is answered for', async () => {
    const fail = (): never => {
      throw new Error('no error page')
    }
    expect(await answerOf({ before: failing, fail }, login)).toMatch(/^HTTP\/1.1 503/)
  })

  test('an application that goes on writing is ignored, and its callbacks are told', async () => {
    const told = vi.fn<(error?: Error | null) => void>()
    const fail = vi.fn<() => void>()
    const answer = await answerOf({ before: failing, fail }, async (response) => {
      response.write('one', told)
      await sleep(30)
      response.write('two', told)
      response.end('three')
    })
    expect(answer).toMatch(/^HTTP\/1.1 503/)
    expect(answer).not.toMatch(/one|two|three/)
    expect(fail).not.toHaveBeenCalled()
    await vi.waitFor(() => expect(told.mock.calls).toEqual([[outage], [expect.any(Error)]]))
  })

  test('a pipe, and a writer that waits for drain, come to their end', async () => {
    const chunks = Array.from({ length: 50 }, () => 'x'.repeat(10_000))
    const piped = await answerOf({ before: failing }, (response) =>
      Readable.from(chunks).pipe(response),
    )
    expect(piped).toMatch(/^HTTP\/1.1 503[^]*next$/)
    const done = vi.fn<() => void>()
    await answerOf({ before: failing }, async (response) => {
      for (const chunk of chunks) if (!response.write(chunk)) await once(response, 'drain')
      done()
    })
    await vi.waitFor(() => expect(done).toHaveBeenCalled())
  })
})

describe('while the store has not answered', () => {
  test('nothing reaches the client', async () => {
    let answer: (lines: typeof COOKIE) => void = () => undefined
    const before = (): Promise<typeof COOKIE> => new Promise((resolve) => (answer = resolve))
    const { port } = await servers.http((response) => {
      hold(response, { before })
      response.writeHead(302, { Location: '/next' })
      response.flushHeaders()
      response.end('moved')
    })
    let received = ''
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    socket.on('data', (text: string) => (received += text))
    socket.write(requestText('GET', '/'))
    await sleep(60)
    expect(received).toBe('')
    answer(COOKIE)
    await vi.waitFor(() => expect(received).toMatch(/302[^]*ours=1[^]*moved/))
    socket.destroy()
  })

  test('pipelined answers keep their order', async () => {
    const { port } = await servers.http((response, { url = '' }) => {
      hold(response, { before: () => later(url === '/slow' ? 40 : 1) })
      response.end(`answer ${url}`)
    })
    const answers = await exchange(
      port,
      requestText('GET', '/slow') + requestText('GET', '/fast', ['Connection: close']),
    )
    expect(answers).toMatch(/answer \/slow[^]*answer \/fast/)
  })

  test('a client that goes away does no harm', async () => {
    const before = vi.fn<() => Promise<typeof COOKIE>>(() => later(40))
    const ended = vi.fn<() => void>()
    const { port } = await servers.http((response) => {
      hold(response, { before })
      response.on('close', ended)
      response.write('one')
      response.end('two')
    })
    const socket = connect(port, '127.0.0.1')
    socket.write(requestText('GET', '/'))
    await vi.waitFor(() => expect(before).toHaveBeenCalled())
    socket.destroy()
    await vi.waitFor(() => expect(ended).toHaveBeenCalled())
    await sleep(60)
    expect(before).toHaveBeenCalledTimes(1)
  })
})

describe('a response that goes on after its headers', () => {
  test('ends when what came after is stored', async () => {
    const order: string[] = []
    const after = async (): Promise<void> => {
      order.push('storing')
      await sleep(20)
      order.push('stored')
    }
    const answer = await answerOf(
      {
        before: () => NOTHING,
        after: vi.fn<GateHooks['after'] & {}>(after).mockReturnValueOnce(after()),
      },
      (response) => {
        response.on('finish', () => order.push('finished'))
        response.write('one ')
        response.end('two')
        order.push(`ended ${response.writableEnded}`)
      },
    )
    expect(answer).toMatch(/one [^]*two/)
    expect(order.slice(0, 4)).toEqual(['storing', 'ended true', 'stored', 'finished'])
  })

  test('is cut off if that cannot be stored', async () => {
    const answer = await answerOf({ before: () => NOTHING, after: failing }, (response) => {
      response.write('one')
      response.end('two')
    })
    expect(answer).toMatch(/one/)
    expect(answer).not.toMatch(/two|next|\r\n0\r\n/)
  })

  test('is stored too when the client closes it', async () => {
    const after = vi.fn<() => undefined>()
    const { port } = await servers.http((response) => {
      hold(response, { before: () => NOTHING, after })
      response.write('data: 1\n\n')
    })
    const socket = connect(port, '127.0.0.1')
    socket.write(requestText('GET', '/'))
    socket.once('data', () => socket.destroy())
    await vi.waitFor(() => expect(after).toHaveBeenCalledTimes(1))
  })

  test('is asked for what came after even when the gate came late', async () => {
    const after = vi.fn<() => undefined>()
    const before = vi.fn<() => typeof COOKIE>(() => COOKIE)
    const { port } = await servers.http((response) => {
      response.write('early ')
      hold(response, { before, after })
      response.end('late')
    })
    expect(await exchange(port, requestText('GET', '/', ['Connection: close']))).toMatch(
      /early [^]*late/,
    )
    expect(before).not.toHaveBeenCalled()
    expect(after).toHaveBeenCalled()
  })
})

describe('beside others that wrap the response', () => {
  const shout = (response: ServerResponse): void => {
    const end = response.end.bind(response) as (text: string) => ServerResponse
    const writeHead = response.writeHead.bind(response)
    Object.assign(response, {
      end: (text: string) => end(text.toUpperCase()),
      writeHead: (status: number) => {
        response.setHeader('X-At-Head', 'yes')
        return writeHead(status)
      },
    })
  }

  test.each([
    ['before', true],
    ['after', false],
  ])('works when they came %s', async (_when, first) => {
    const { port } = await servers.http((response) => {
      if (first) shout(response)
      hold(response, { before: () => later(5) })
      if (!first) shout(response)
      response.end('loud')
    })
    const answer = await exchange(port, requestText('GET', '/', ['Connection: close']))
    expect(answer).toMatch(/X-At-Head: yes[^]*LOUD/)
    expect(answer.match(/ours=1/g)).toHaveLength(1)
  })

  test('two gates on one response both add theirs', async () => {
    const { port } = await servers.http((response) => {
      hold(response, { before: () => later(5, [['Set-Cookie', 'outer=1']]) })
      hold(response, { before: () => later(5) })
      response.end('both')
    })
    const answer = await exchange(port, requestText('GET', '/', ['Connection: close']))
    expect(answer).toMatch(/Set-Cookie: ours=1/)
    expect(answer).toMatch(/Set-Cookie: outer=1/)
  })
})
