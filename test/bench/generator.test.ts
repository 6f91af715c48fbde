import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { lengthOf } from '../../bench/subjects/load/answer.js'
import { Generator, type Burst, type Job } from '../../bench/support/generator.ts'

const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n'
const TRAILED = CHUNKED.replace('0\r\n\r\n', '0\r\nX-Sum: 1\r\n\r\n')
const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: timeout=5\r\n\r\nalice'
const EMPTY = 'HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n'

describe('where an answer ends', () => {
  test.each([PLAIN, CHUNKED, TRAILED, EMPTY, 'HTTP/1.1 204 No Content\r\n\r\n'])(
    'is known when its last byte is there, and not before: %j',
    (answer) => {
      for (let length = 0; length < answer.length; length++) {
        expect(lengthOf(answer.slice(0, length))).toBeUndefined()
      }
      expect(lengthOf(answer)).toBe(answer.length)
      expect(lengthOf(`${answer}HTTP`)).toBe(answer.length)
    },
  )

  test('an answer that ends with its connection is refused', () => {
    expect(() => lengthOf('HTTP/1.1 200 OK\r\nServer: x\r\n\r\nalice')).toThrow('where it ends')
  })
})

/** The pieces in which each path is answered; without any, the connection is closed. */
const PIECES: Readonly<Record<string, readonly string[]>> = {
  '/plain': [PLAIN],
  '/split': [PLAIN.slice(0, 30), PLAIN.slice(30, -1), PLAIN.slice(-1)],
  '/chunked': [...CHUNKED],
  '/error': ['HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\ndown'],
  '/twice': [PLAIN + PLAIN],
  '/nonsense': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n'],
  '/close': [],
}

describe('the generator', () => {
  const sockets = new Set<Socket>()
  const cookies = new Map<string, number>()
  let server: Server
  let generator: Generator

  beforeAll(async () => {
    server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      // It may go away while it is answered.
      socket.on('error', () => undefined)
      socket.on('data', (request) => void answer(socket, request.toString()))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    generator = Generator.start()
  })

  beforeEach(() => cookies.clear())

  afterAll(async () => {
    await generator.stop()
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  async function answer(socket: Socket, request: string): Promise<void> {
    const [, path = '', cookie = ''] =
      /^GET (\S+) [^]*\r\nCookie: (\S+)\r\n\r\n$/.exec(request) ?? []
    cookies.set(cookie, (cookies.get(cookie) ?? 0) + 1)
    const pieces = PIECES[path]
    if (pieces?.length === 0) socket.destroy()
    for (const piece of pieces ?? []) {
      socket.write(piece, 'latin1')
      await turn()
    }
  }

  async function load(path: string, job: Partial<Job> = {}): Promise<Burst> {
    const { port } = server.address() as AddressInfo
    const usual = { cookies: ['a=1', 'b=2'], connections: 4, requests: 40, milliseconds: 60_000 }
    return generator.run({ port, path, ...usual, ...job })
  }

  test.each(['/plain', '/split', '/chunked'])('counts every answer of %s', async (path) => {
    const { requests, errors, bytes, p50, p99, max, seconds } = await load(path)
    expect({ requests, errors }).toEqual({ requests: 40, errors: 0 })
    expect(bytes).toBe(40 * (path === '/chunked' ? CHUNKED : PLAIN).length)
    expect(p50).toBeGreaterThan(0)
    expect(p50).toBeLessThanOrEqual(p99)
    expect(p99).toBeLessThanOrEqual(max)
    expect(max / 1e6).toBeLessThanOrEqual(seconds)
  })

  test('sends nothing before the connections are there and its word was given', async () => {
    const { port } = server.address() as AddressInfo
    let atFirst = -1
    const connected = async (): Promise<void> => {
      await expect.poll(() => sockets.size).toBeGreaterThanOrEqual(3)
      await setTimeout(20)
      atFirst = cookies.size
    }
    const job = { port, path: '/plain', cookies: ['a=1'], connections: 3, requests: 9 }
    expect(await generator.run({ ...job, milliseconds: 60_000 }, connected)).toMatchObject({
      requests: 9,
    })
    expect(atFirst).toBe(0)
  })

  test('gives the requests the cookies in turn', async () => {
    await load('/plain', { cookies: ['a=1', 'b=2', 'c=3', 'd=4'] })
    expect(Object.fromEntries(cookies)).toEqual({ 'a=1': 10, 'b=2': 10, 'c=3': 10, 'd=4': 10 })
  })

  test('connects anew for each burst, so that what the server closed does not matter', async () => {
    await load('/plain')
    for (const socket of sockets) socket.destroy()
    expect(await load('/plain')).toMatchObject({ requests: 40, errors: 0 })
  })

  test('counts answers with another status as errors, and says which', async () => {
    const found = await load('/error')
    expect(found).toMatchObject({ requests: 40, errors: 40, problem: 'status 503' })
  })

  test.each([
    ['/close', 'the server closed the connection'],
    ['/twice', 'more than was asked for'],
    ['/nonsense', "a chunk of size 'many'"],
  ])('counts connections that %s breaks as errors', async (path, problem) => {
    expect(await load(path)).toMatchObject({ requests: 0, errors: 4, problem })
  })

  test('ends after its time, and gives up answers that do not come', async () => {
    expect((await load('/plain', { requests: 1e9, milliseconds: 50 })).errors).toBe(0)
    const silent = await load('/silence', { milliseconds: 10, patience: 50 })
    expect(silent).toMatchObject({ requests: 0, errors: 4, problem: 'no answer in time' })
  })

  test('counts what cannot connect as an error', async () => {
    const unused = createServer()
    await once(unused.listen(0, '127.0.0.1'), 'listening')
    const { port } = unused.address() as AddressInfo
    await new Promise((closed) => unused.close(closed))
    const { errors, problem } = await load('/plain', { port })
    expect(errors).toBe(4)
    expect(problem).toContain('ECONNREFUSED')
  })
})
