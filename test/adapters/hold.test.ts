import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { hold } from '../../src/adapters/hold.ts'
import type { GateHooks } from '../../src/adapters/hold.ts'
import { COOKIE, NOTHING, Servers, later } from './support/gate.ts'
import { exchange, requestText } from './support/raw.ts'
import { scenarios } from './support/responses.ts'
import type { Scenario } from './support/responses.ts'

const servers = new Servers()
afterEach(() => servers.close())

interface Seen {
  readonly bytes: string
  readonly log: readonly string[]
}

// A second request is sent together with the first one: the connection must stay usable.
async function play(scenario: Scenario, hooks: GateHooks | undefined): Promise<Seen> {
  const log: string[] = []
  const { port } = await servers.http((response, request) => {
    if (request.url === '/next') return response.end('next')
    if (hooks !== undefined) hold(response, hooks)
    return scenario.handle(response, (entry) => log.push(entry))
  })
  const pipelined = requestText('GET', '/next', ['Connection: close'])
  const bytes = await exchange(port, requestText(scenario.method ?? 'GET', '/') + pipelined)
  return { bytes, log }
}

describe('a gate that adds nothing', () => {
  test.each(scenarios)('lets $title pass byte for byte', async (scenario) => {
    const without = await play(scenario, undefined)
    expect(without.bytes).toContain('next')
    expect(await play(scenario, { before: () => NOTHING })).toEqual(without)
    const order = { ...without, bytes: sortedHead(without.bytes) }
    for (const ms of [0, 20]) {
      const held = await play(scenario, { before: () => later(ms, NOTHING) })
      expect({ ...held, bytes: sortedHead(held.bytes) }).toEqual(order)
    }
  })
})

describe('a gate that adds a cookie', () => {
  test.each(scenarios)('adds it once to $title and changes nothing else', async (scenario) => {
    const without = await play(scenario, undefined)
    for (const before of [() => COOKIE, () => later(0), () => later(20)]) {
      const withCookie = await play(scenario, { before })
      expect(withCookie.bytes.match(/ours=1/g)).toHaveLength(1)
      expect(sortedHead(withoutOurs(withCookie.bytes))).toBe(sortedHead(without.bytes))
      expect(withCookie.log).toEqual(without.log)
    }
  })
})

describe('a gate that adds one line', () => {
  const VARY = [['Vary', 'Cookie']] as const

  test.each(scenarios)('adds it once to $title and changes nothing else', async (scenario) => {
    const without = await play(scenario, undefined)
    // The second time it is known how the response gets its head when it is ended.
    for (const before of [() => VARY, () => VARY, () => later(0, VARY), () => later(20, VARY)]) {
      const { bytes, log } = await play(scenario, { before })
      expect(bytes.match(/^Vary: Cookie\r$/gm)).toHaveLength(1)
      expect(sortedHead(bytes.replace('Vary: Cookie\r\n', ''))).toBe(sortedHead(without.bytes))
      expect(log).toEqual(without.log)
    }
  })

  test.each([
    ['nothing', (response: ServerResponse) => response.end('ok')],
    ['a status', (response: ServerResponse) => response.writeHead(201).end('ok')],
    ['headers', (response: ServerResponse) => response.writeHead(200, { 'X-A': 'a' }).end('ok')],
    ['a refused end', (response: ServerResponse) => refusedThenEnded(response)],
  ])('adds it when somebody behind it comes with %s', async (_what, answer) => {
    for (let round = 0; round < 3; round++) {
      const { port } = await servers.http((response) => {
        hold(response, { before: () => VARY })
        const writeHead = response.writeHead.bind(response)
        response.writeHead = (status: number, ...rest: unknown[]) => {
          if (round === 2) response.setHeader('Vary', 'Origin')
          return writeHead(status, ...(rest as []))
        }
        answer(response)
      })
      const bytes = await exchange(port, requestText('GET', '/', ['Connection: close']))
      expect(bytes).toContain(round === 2 ? 'Vary: Origin, Cookie' : 'Vary: Cookie')
      expect(bytes.match(/^Vary:/gm)).toHaveLength(1)
    }
  })
})

describe('headers that are given to writeHead', () => {
  test.each([
    ['another Vary', { vary: 'Origin' }, /^vary: Origin, Cookie\r$/m],
    ['the same Vary', { VARY: 'cookie' }, /^VARY: cookie\r$/m],
    ['a cookie', { 'set-cookie': 'theirs=1' }, /^set-cookie: theirs=1\r\nset-cookie: ours=1\r$/m],
    [
      'cookies',
      { 'Set-Cookie': ['a=1', 'b=1'] },
      /a=1\r\nSet-Cookie: b=1\r\nSet-Cookie: ours=1\r$/m,
    ],
    ['a public cache', { 'cache-control': 'public' }, /^cache-control: no-store\r$/m],
  ])('keep their names, and %s has ours beside it', async (_what, headers, expected) => {
    const given = Object.freeze({ ...headers })
    const { port } = await servers.http((response) => {
      hold(response, { before: () => COOKIE })
      response.writeHead(200, 'Fine', given).end('ok')
    })
    const bytes = await exchange(port, requestText('GET', '/', ['Connection: close']))
    expect(bytes).toMatch(/^HTTP\/1\.1 200 Fine\r\n/)
    expect(bytes).toMatch(expected)
    for (const name of ['vary', 'cache-control']) {
      expect(bytes.match(new RegExp(`^${name}:`, 'gim'))).toHaveLength(1)
    }
  })
})

function refusedThenEnded(response: ServerResponse): void {
  expect(() => response.end(7)).toThrow(TypeError)
  response.end('ok')
}

describe('a response that is held', () => {
  const wrap = (response: ServerResponse): void => {
    const own = response.setHeader.bind(response)
    response.setHeader = (name, value) => own(name, `wrapped ${String(value)}`)
  }

  test.each([
    ['as Node made it', () => undefined],
    ['with a wrapped method', wrap],
  ])('looks as if it had been sent, and is itself again afterwards (%s)', async (_how, prepare) => {
    const seen: unknown[] = []
    const { port } = await servers.http(async (response) => {
      const prototype: unknown = Object.getPrototypeOf(response)
      prepare(response)
      const setHeader: unknown = Reflect.get(response, 'setHeader')
      hold(response, { before: () => later(20) })
      response.write('text')
      seen.push(
        response.headersSent,
        response.writableEnded,
        catchCode(() => response.setHeader('A', '1')),
      )
      response.end()
      seen.push(response.headersSent, response.writableEnded, response.finished)
      await once(response, 'finish')
      seen.push(
        Reflect.get(response, 'setHeader') === setHeader,
        Object.getPrototypeOf(response) === prototype,
      )
    })
    const bytes = await exchange(port, requestText('GET', '/', ['Connection: close']))
    expect(bytes).toMatch(/ours=1[^]*text/)
    expect(seen).toEqual([true, false, 'ERR_HTTP_HEADERS_SENT', true, true, true, true, true])
  })
})

describe('a response that is held from its end', () => {
  test('looks as if it had been sent, and takes nothing any more', async () => {
    const seen: unknown[] = []
    const { port } = await servers.http(async (response) => {
      const keys = Reflect.ownKeys(response).length
      hold(response, { before: () => later(20) })
      const held = Reflect.ownKeys(response).length
      response.setHeader('A', '1')
      response.end('text')
      const { headersSent, writableEnded, finished, writableNeedDrain } = response
      seen.push([headersSent, writableEnded, finished, writableNeedDrain])
      for (const change of [
        () => response.setHeader('A', '2'),
        () => response.appendHeader('B', '2'),
        () => response.removeHeader('A'),
        () => response.writeHead(500),
      ]) {
        seen.push(catchCode(change))
      }
      seen.push(response.getHeader('A'), keys < held, Reflect.ownKeys(response).length - held)
      await once(response, 'finish')
    })
    const bytes = await exchange(port, requestText('GET', '/', ['Connection: close']))
    expect(bytes).toMatch(/^HTTP\/1.1 200 OK\r\nA: 1\r\n[^]*ours=1[^]*\r\n\r\ntext$/)
    const sent = 'ERR_HTTP_HEADERS_SENT'
    expect(seen).toEqual([[true, true, true, false], sent, sent, sent, sent, '1', true, 0])
  })
})

describe('two gates on one response', () => {
  test.each([0, 20])(
    'hold it one after the other, with a wrapper between them (%i ms)',
    async (ms) => {
      const log: string[] = []
      const gate = (name: string): GateHooks => ({
        before: () => {
          log.push(`${name} before`)
          return later(ms, [['Set-Cookie', `${name}=1`]])
        },
      })
      const { port } = await servers.http((response) => {
        hold(response, gate('inner'))
        const end = response.end.bind(response)
        response.end = ((text: string) => {
          log.push('wrapper')
          return end(`(${text})`, 'utf8')
        }) as typeof end
        hold(response, gate('outer'))
        response.end('text')
      })
      const bytes = await exchange(port, requestText('GET', '/', ['Connection: close']))
      expect(bytes).toMatch(/Set-Cookie: outer=1\r\nSet-Cookie: inner=1\r\n/)
      expect(bytes).toMatch(/\(text\)$/)
      expect(log).toEqual(['outer before', 'wrapper', 'inner before'])
    },
  )

  test('are not found by another response that borrows a method', async () => {
    const errors: unknown[] = []
    const { port } = await servers.http((response) => {
      hold(response, { before: () => NOTHING })
      try {
        Reflect.apply(Reflect.get(response, 'end'), {}, ['text'])
      } catch (error) {
        errors.push(error)
      }
      response.end('own')
    })
    expect(await exchange(port, requestText('GET', '/', ['Connection: close']))).toMatch(/own$/)
    expect(errors).toEqual([expect.any(TypeError)])
  })
})

function catchCode(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

function withoutOurs(bytes: string): string {
  return bytes.replaceAll(/(Set-Cookie: ours=1|Cache-Control: no-store|Vary: Cookie)\r\n/g, '')
}

/** The lines of every head in alphabetical order: putting headers together may reorder them. */
function sortedHead(bytes: string): string {
  return bytes
    .split('\r\n\r\n')
    .map((part) => {
      const at = part.lastIndexOf('HTTP/1.1 ')
      if (at < 0) return part
      const [status, ...lines] = part.slice(at).split('\r\n')
      return part.slice(0, at) + [status, ...lines.toSorted()].join('\r\n')
    })
    .join('\r\n\r\n')
}
