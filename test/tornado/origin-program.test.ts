import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readArguments } from '../../examples/origin/arguments.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'
import { Browser, fetchRaw } from './browser.ts'
import { Program } from './program.ts'
import type { ProgramOptions } from './program.ts'
import { SECRET } from './running.ts'

let redis: RedisServer
let directory: string
const started: Program[] = []

beforeAll(async () => {
  redis = await startRedis({ persistent: true })
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sojourn-origin-'))
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((program) => program.stop('SIGKILL')))
  await rm(directory, { recursive: true, force: true })
})
afterAll(() => redis.stop())

function start(args: readonly string[] = [], env: ProgramOptions['env'] = {}): Program {
  const program = new Program({ directory, args: ['--port', '0', ...args], env })
  started.push(program)
  return program
}

// A function, because Redis has its port only when the tests run.
const ENGINES = [
  ['embedded', () => start()],
  ['redis', () => start([], { REDIS_URL: redis.url, SESSION_SECRET: SECRET })],
] as const

describe.each(ENGINES)('the origin program on %s', (_, begin) => {
  test('remembers a name for one browser, and says so clearly when it has none', async () => {
    const url = await begin().serving()
    const alice = new Browser(url)
    const bob = new Browser(url)
    expect((await alice.get('/?name=alice')).body).toBe('index get ok!')
    expect((await alice.get('/detail')).body).toBe('detail get ok! alice')
    const before = await bob.get('/detail')
    expect([before.status, before.body, before.cookies]).toEqual([
      200,
      'Nothing is stored yet. Open /?name=alice first.',
      [],
    ])
    await bob.get('/?name=%E5%BC%A0%E4%B8%89+%F0%9F%98%80')
    expect((await bob.get('/detail')).body).toBe('detail get ok! 张三 😀')
    expect((await alice.get('/detail')).body).toBe('detail get ok! alice')
    expect((await alice.get('/')).status).toBe(400)
  })

  test('sends a persistent cookie of two days', async () => {
    const url = await begin().serving()
    const { cookies } = await new Browser(url).get('/?name=alice')
    expect(cookies).toEqual([expect.stringContaining(`Max-Age=${2 * 86_400}`)])
  })

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'remembers after %s and a new start',
    async (signal) => {
      const first = begin()
      const browser = new Browser(await first.serving())
      await browser.get('/?name=alice')
      await first.stop(signal)
      expect((await browser.movedTo(await begin().serving()).get('/detail')).body).toBe(
        'detail get ok! alice',
      )
    },
  )

  test('serves the same sessions from two processes', async () => {
    const [one, two] = await Promise.all([begin().serving(), begin().serving()])
    const browser = new Browser(one)
    await browser.get('/?name=alice')
    const elsewhere = browser.movedTo(two)
    expect((await elsewhere.get('/detail')).body).toBe('detail get ok! alice')
    await elsewhere.get('/?name=bob')
    expect((await browser.get('/detail')).body).toBe('detail get ok! bob')
  })
})

test('reading creates nothing in Redis', async () => {
  const client = createClient({ url: redis.url })
  await client.connect()
  await client.flushAll()
  const url = await start(['--engine', 'redis', '--redis-url', redis.url]).serving()
  for (const path of ['/detail', '/', '/session']) await fetchRaw(url + path)
  expect(await client.dbSize()).toBe(0)
  await client.close()
})

describe('starting', () => {
  test('prints what to try, on the port of PORT', async () => {
    const port = await freePort()
    const program = new Program({ directory, env: { PORT: String(port) } })
    started.push(program)
    expect(await program.serving()).toBe(`http://localhost:${port}`)
    const { code, stdout, stderr } = await program.stop('SIGINT')
    expect([code, stderr]).toEqual([0, ''])
    for (const path of ['/?name=alice', '/detail', '/session']) {
      expect(stdout).toContain(`http://localhost:${port}${path}`)
    }
  })

  test('prints its options when it is asked, and does nothing else', async () => {
    const { code, stdout, stderr } = await start(['--help', '--engine', 'mongo']).ended()
    expect([code, stderr]).toEqual([0, ''])
    for (const option of ['--engine', '--redis-url', '--port', 'SESSION_SECRET']) {
      expect(stdout).toContain(option)
    }
  })

  test('takes variables that are empty for none', () => {
    const env = { PORT: '', REDIS_URL: '' }
    expect(readArguments([], env)).toEqual({ engine: 'embedded', storage: {}, port: 8888 })
  })

  test('a taken port is one line and exit code 1', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const ended = await start(['--port', String(port)]).ended()
    server.close()
    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `Port ${port} on 127.0.0.1 is taken. Stop the program that has it, or choose another port.\n`,
    })
  })

  test.each([
    [
      ['--engine', 'redis', '--redis-url', 'redis://127.0.0.1:1'],
      {},
      /^Redis at 127\.0\.0\.1:1 .*\n$/,
    ],
    [[], { REDIS_URL: 'http://localhost' }, /^.*redis:\/\/.*\n$/],
    [['--engine', 'mongo'], {}, /^There is no engine 'mongo'\. Options: .*\n$/],
    [['--prot', '80'], {}, /^Unknown option '--prot'\. Options: .*\n$/],
    [['--port', 'eighty'], {}, /^'eighty' is no port: .*\n$/],
    [
      ['--engine', 'memory', '--redis-url', 'redis://localhost'],
      {},
      /^--redis-url does not fit .*\n$/,
    ],
    [['extra'], {}, /^Unexpected argument 'extra'\. .*Options: .*\n$/],
    [[], { NODE_ENV: 'production' }, /^.*secret.*\n$/i],
  ])('%j with %j is one line and exit code 1', async (args, env, line) => {
    const { code, stdout, stderr } = await start(args, env).ended()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(line)
    expect(stderr.trimEnd()).not.toContain('\n')
  })
})

test('a request that runs is answered before the program ends', async () => {
  const program = start()
  const port = Number(new URL(await program.serving()).port)
  const socket = connect(port, '127.0.0.1')
  const answer: Buffer[] = []
  socket.on('data', (chunk: Buffer) => answer.push(chunk))
  const fields = ['Host: localhost', 'Content-Length: 2', 'Expect: 100-continue']
  socket.write(['POST /session/set HTTP/1.1', ...fields, '', 'a'].join('\r\n'))
  // The server says so when it has the request.
  await once(socket, 'data')
  const ended = program.stop('SIGTERM')
  while (await accepts(port)) await delay(10)
  socket.write('b')
  await once(socket, 'close')
  expect(Buffer.concat(answer).toString()).toMatch(
    /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 403 Forbidden\r\n/,
  )
  expect((await ended).code).toBe(0)
})

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
