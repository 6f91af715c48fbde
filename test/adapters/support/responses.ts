import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerResponse } from 'node:http'

/** What a handler sees of its response; with the gate it must be the same as without. */
export type Log = (entry: string) => void

export interface Scenario {
  readonly title: string
  readonly method?: string
  /** Only HTTP/1.1 has it. */
  readonly http1?: true
  readonly handle: (response: ServerResponse, log: Log) => void | Promise<void>
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code)

function attempt(log: Log, act: () => unknown): void {
  try {
    act()
    log('accepted')
  } catch (error) {
    log(codeOf(error).replace('HTTP2', 'HTTP'))
  }
}

const BIG = 'x'.repeat(100_000)

/** One response each, written the way applications write them. */
export const scenarios: readonly Scenario[] = [
  { title: 'text at the end', handle: (response) => void response.end('hello') },
  { title: 'nothing at all', handle: (response) => void response.end() },
  {
    title: 'bytes in an encoding',
    handle: (response) => {
      response.write('68656c6c6f', 'hex')
      response.end(Buffer.from(' world'))
    },
  },
  {
    title: 'a status and headers that were set before',
    handle: (response) => {
      response.statusCode = 201
      response.setHeader('X-First', 'one')
      response.setHeader('X-List', ['a', 'b'])
      response.end('made')
    },
  },
  {
    title: 'writeHead with an object',
    handle: (response, log) => {
      response.setHeader('X-Before', 'stays')
      response.setHeader('X-Both', 'lost')
      const same = response.writeHead(202, { 'X-Both': 'wins', 'Content-Type': 'text/plain' })
      log(`chains ${same === response} sent ${response.headersSent}`)
      same.end('ok')
    },
  },
  {
    title: 'writeHead with a flat array',
    handle: (response) =>
      void response
        .writeHead(200, ['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'])
        .end('ok'),
  },
  {
    title: 'writeHead with pairs',
    handle: (response) =>
      void response
        .writeHead(200, [
          ['X-One', '1'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ] as never)
        .end('ok'),
  },
  {
    title: 'cookies of the application in writeHead',
    handle: (response) =>
      void response.writeHead(302, { 'Set-Cookie': ['a=1', 'b=2'], Location: '/next' }).end(),
  },
  {
    title: 'a reason phrase',
    http1: true,
    handle: (response) => void response.writeHead(200, 'Fine', { 'X-One': '1' }).end('ok'),
  },
  {
    title: 'a length given beforehand',
    handle: (response) => void response.writeHead(200, { 'Content-Length': 5 }).end('hello'),
  },
  { title: '204', handle: (response) => void response.writeHead(204).end() },
  {
    title: '304',
    handle: (response) => void response.writeHead(304, { ETag: '"1"' }).end(),
  },
  {
    title: 'HEAD',
    method: 'HEAD',
    handle: (response) => {
      response.setHeader('Content-Length', '5')
      response.end('hello')
    },
  },
  {
    title: 'several writes, seen as sent at once',
    handle: (response, log) => {
      response.write('one ')
      log(`sent ${response.headersSent} ended ${response.writableEnded}`)
      response.write('two ')
      response.end('three')
      log(`sent ${response.headersSent} ended ${response.writableEnded}`)
    },
  },
  {
    title: 'headers flushed before a slow body',
    handle: async (response, log) => {
      response.flushHeaders()
      log(`sent ${response.headersSent}`)
      await sleep(30)
      response.write('data: 1\n\n')
      await sleep(1)
      response.end('data: 2\n\n')
    },
  },
  {
    title: 'callbacks of write and end, in order',
    handle: (response, log) => {
      response.on('finish', () => log('finish'))
      response.write('a', () => log('a written'))
      response.write('b', 'utf8', () => log('b written'))
      response.end('c', () => log('ended'))
    },
  },
  {
    title: 'end with a callback alone',
    handle: (response, log) => void response.end(() => log('ended')),
  },
  {
    title: 'a pipe',
    handle: (response) => void Readable.from([BIG, BIG, 'end']).pipe(response),
  },
  {
    title: 'a pipeline',
    handle: async (response, log) => {
      await pipeline(Readable.from([BIG, BIG, 'end']), response)
      log('done')
    },
  },
  {
    title: 'a writer that waits for drain',
    handle: async (response, log) => {
      for (let index = 0; index < 5; index++) {
        if (!response.write(BIG)) await new Promise((resolve) => response.once('drain', resolve))
      }
      response.end()
      log('all written')
    },
  },
  {
    title: 'trailers',
    http1: true,
    handle: (response) => {
      response.writeHead(200, { Trailer: 'X-Sum' })
      response.write('body')
      response.addTrailers({ 'X-Sum': '1' })
      response.end()
    },
  },
  {
    title: 'early hints',
    http1: true,
    handle: (response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' })
      response.writeProcessing()
      response.end('after hints')
    },
  },
  {
    title: 'corked writes',
    http1: true,
    handle: (response) => {
      response.cork()
      response.write('one')
      response.cork()
      response.write('two')
      response.uncork()
      response.uncork()
      response.end('three')
    },
  },
  {
    title: 'headers that are changed too late',
    handle: (response, log) => {
      response.write('first')
      attempt(log, () => response.setHeader('X-Late', '1'))
      attempt(log, () => response.removeHeader('X-Late'))
      attempt(log, () => response.writeHead(500))
      response.end()
      attempt(log, () => response.setHeader('X-Late', '1'))
    },
  },
  {
    title: 'a status that is changed too late',
    handle: (response) => {
      response.write('first')
      response.statusCode = 500
      response.end()
    },
  },
  {
    title: 'a head that Node refuses, then another',
    http1: true,
    handle: (response, log) => {
      attempt(log, () => response.writeHead(20))
      attempt(log, () => response.writeHead(200, ['X-Odd']))
      response.setHeader('X-Set', '1')
      attempt(log, () => response.writeHead(200, { 'X-Bad': 'a\nb' }))
      response.writeHead(500, 'Again').end('second attempt')
    },
  },
  {
    title: 'a chunk that is none',
    http1: true,
    handle: (response, log) => {
      response.write('first')
      for (const chunk of [7, null]) attempt(log, () => response.write(chunk))
      response.end()
    },
  },
  {
    title: 'a second end',
    handle: (response, log) => {
      response.end('one', () => log('first'))
      response.end()
    },
  },
  {
    title: 'a write after the end',
    http1: true,
    handle: (response, log) => {
      response.on('error', (error) => log(codeOf(error)))
      response.end('one')
      response.write('two', (error) => log(codeOf(error)))
    },
  },
]
