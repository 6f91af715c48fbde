import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startNginx } from '../support/nginx.ts'
import type { Nginx } from '../support/nginx.ts'
import { freePort, startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'
import { root } from '../support/source.ts'

const PROGRAM = join(root, '.build/examples/nginx/server.js')
const VISITORS = 10
// No visitor sends more: the load has an end whatever happens.
const MOST_REQUESTS = 2_000

let redis: RedisServer
let nginx: Nginx
let servers: AppServer[]

/** One of the processes behind nginx, always on the same port. */
class AppServer {
  readonly port: number
  #child: ChildProcess | undefined

  constructor(port: number) {
    this.port = port
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const env = {
      PATH: process.env['PATH'],
      PORT: `${this.port}`,
      REDIS_URL: redis.url,
      SESSION_SECRET: 'the processes of this test share it',
      NODE_ENV: 'production',
    }
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    expect(String(said)).toContain('serves')
  }

  /** Ends it in order, and answers its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
    const exited = once(child, 'exit')
    child.kill(signal)
    const [code] = await exited
    return code as number | null
  }
}

interface Answer {
  readonly status: number | undefined
  readonly setCookie: readonly string[]
  readonly body: string
}

/** A browser that trusts the certificate. */
class Client {
  cookie = ''
  sent = 0

  send(method: 'GET' | 'POST', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    this.sent++
    return new Promise((resolve, reject) => {
      const asked = request({
        host: '127.0.0.1',
        port: nginx.port,
        servername: 'localhost',
        ca: nginx.certificate,
        method,
        agent: false,
        headers: { ...(this.cookie !== '' && { cookie: this.cookie }), ...headers },
      })
      asked.on('error', reject)
      asked.on('response', (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('error', reject)
        response.on('end', () => {
          const setCookie = response.headers['set-cookie'] ?? []
          const [first] = setCookie
          if (first !== undefined) this.cookie = first.split(';', 1)[0] ?? ''
          resolve({ status: response.statusCode, setCookie, body })
        })
      })
      asked.end()
    })
  }
}

beforeAll(async () => {
  if (!existsSync(PROGRAM)) throw new Error('The examples are not built: npm run build')
  redis = await startRedis()
  servers = [new AppServer(await freePort()), new AppServer(await freePort())]
  await Promise.all(servers.map((server) => server.start()))
  nginx = await startNginx(join(root, 'examples/nginx/nginx.conf'), servers)
}, 60_000)

afterAll(async () => {
  await nginx?.stop()
  await Promise.all((servers ?? []).map((server) => server.stop('SIGKILL')))
  await redis?.stop()
})

describe('two processes behind nginx with TLS', () => {
  test('give a visitor one session, under a name that only a secure origin can set', async () => {
    const alice = new Client()
    const first = await alice.send('POST')
    expect(first.status).toBe(200)
    expect(first.setCookie).toEqual([
      expect.stringMatching(/^__Host-Http-sid=v1\.[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/),
    ])
    const seen = new Set<number>()
    for (let views = 2; views <= 10; views++) {
      const { body } = await alice.send('POST')
      const answer = JSON.parse(body) as { views: number; process: number }
      expect(answer.views).toBe(views)
      seen.add(answer.process)
    }
    expect(seen).toEqual(new Set(servers.map(({ pid }) => pid)))
  })

  test('do not believe what a client says in the place of nginx', async () => {
    const alice = new Client()
    await alice.send('POST')
    const headers = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http' }
    expect(await connecting('https://evil.test', alice.cookie, headers)).toBe(403)
    expect(await connecting(own(), alice.cookie, headers)).toBe(101)
  })

  test('join live connections of our own origin to the session of the visitor', async () => {
    const alice = new Client()
    await alice.send('POST')
    expect(await connecting(own(), alice.cookie)).toBe(101)
    expect(await connecting('https://evil.test', alice.cookie)).toBe(403)
    expect(await connecting(own(), '')).toBe(401)
    const socket = opening(own(), alice.cookie)
    await once(socket, 'open')
    socket.send('one more')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    expect(answer.toString()).toBe('2')
    socket.close()
    expect(JSON.parse((await alice.send('GET')).body)).toMatchObject({ views: 2 })
  })

  test('are restarted one after the other under load, and no visitor notices', async () => {
    const before = servers.map(({ pid }) => pid)
    const load = { over: false }
    const clients = Array.from({ length: VISITORS }, () => new Client())
    const visits = Promise.all(clients.map((client) => visit(client, load)))
    try {
      for (const server of servers) {
        await nginx.route(servers.map((one) => ({ port: one.port, down: one === server })))
        expect(await server.stop()).toBe(0)
        await server.start()
        await nginx.route(servers)
        await sleep(300)
      }
    } finally {
      load.over = true
    }
    const results = await visits
    for (const { problems, views, posts } of results) {
      expect(problems).toEqual([])
      expect(posts).toBeGreaterThan(5)
      expect(views).toBe(posts)
    }
    expect(servers.filter(({ pid }) => before.includes(pid))).toEqual([])
    const processes = new Set(results.flatMap(({ processes }) => [...processes]))
    expect(processes).toEqual(new Set([...before, ...servers.map(({ pid }) => pid)]))
  }, 90_000)
})

interface Result {
  /** Every answer that was not the one expected. */
  readonly problems: readonly string[]
  readonly posts: number
  readonly views: number
  readonly processes: ReadonlySet<number>
}

/** A visitor who counts, and looks at every answer. */
async function visit(client: Client, load: { readonly over: boolean }): Promise<Result> {
  const problems: string[] = []
  const processes = new Set<number>()
  let posts = 0
  let views = 0
  while (!load.over && client.sent < MOST_REQUESTS) {
    const method = client.sent % 4 === 3 ? 'GET' : 'POST'
    if (method === 'POST') posts++
    const { status, body, setCookie } = await client.send(method)
    const answer =
      status === 200 ? (JSON.parse(body) as { views: number; process: number }) : undefined
    if (answer?.views !== posts) problems.push(`${method} ${posts}: ${status} ${body}`)
    if (setCookie.length > 0 && posts > 1) problems.push('a second cookie')
    if (answer !== undefined) processes.add(answer.process)
    views = answer?.views ?? views
    await sleep(60)
  }
  return { problems, posts, views, processes }
}

function own(): string {
  return `https://localhost:${nginx.port}`
}

function opening(
  origin: string,
  cookie: string,
  more: Readonly<Record<string, string>> = {},
): WebSocket {
  return new WebSocket(`wss://127.0.0.1:${nginx.port}/`, {
    origin,
    ca: nginx.certificate,
    headers: { host: `localhost:${nginx.port}`, ...(cookie !== '' && { cookie }), ...more },
  })
}

/** The status that an upgrade is answered with. */
function connecting(
  origin: string,
  cookie: string,
  more?: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const socket = opening(origin, cookie, more)
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.close()
      resolve(101)
    })
    socket.on('unexpected-response', (asked, response) => {
      asked.destroy()
      resolve(response.statusCode)
    })
    socket.on('error', reject)
  })
}
