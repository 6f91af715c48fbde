import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import type { ManagerOptions, Socket as Client, SocketOptions } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { getSession, session } from '../../src/adapters/websocket.ts'
import type { LiveSessions, WebSocketOptions } from '../../src/adapters/websocket.ts'
import { SessionManager } from '../../src/manager.ts'
import type { DefaultData } from '../../src/session-data.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { CountingStore } from '../support/counting-store.ts'
import { SECRET } from '../support/stage.ts'
import { Visitor } from '../support/visitor.ts'
import { until } from './websocket/stage.ts'

const SECOND = 1_000

let server: HttpServer
let sockets: Server | undefined
let store: CountingStore
let sessions: SessionManager
let live: LiveSessions<DefaultData>
let heard: string[]
const clients: Client[] = []

beforeEach(() => {
  store = new CountingStore(new MemoryStore())
  sessions = new SessionManager({ secret: SECRET, store })
  heard = []
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await live.close()
  await sockets?.close()
  await sessions.close()
})

async function serve(options: WebSocketOptions = {}): Promise<void> {
  server = createServer()
  const made = new Server(server)
  sockets = made
  live = session(sessions, options)
  for (const space of ['/', '/second']) {
    made.of(space).use(live.socketio())
    made.of(space).on('connection', (socket) => {
      const current = getSession(socket)
      socket.on('say', (text: string, answer: (text: string) => void) => {
        heard.push(text)
        answer(`heard ${text}`)
      })
      socket.on('name', async (answer: (name: unknown) => void) =>
        answer(await current.get('name', null)),
      )
      socket.on('count', async (answer: (views: unknown) => void) =>
        answer(await current.edit((stored) => stored.increment('views'))),
      )
    })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

async function visitorOf(user?: string): Promise<{ visitor: Visitor; cookie: string | undefined }> {
  const visitor = new Visitor(sessions)
  await visitor.request((current) => {
    current.set('name', 'alice')
    if (user !== undefined) current.login(user)
  })
  return { visitor, cookie: visitor.cookie }
}

interface Headers {
  readonly cookie?: string | undefined
  readonly origin?: string | undefined
  readonly site?: string
}

type Transport = 'websocket' | 'polling'
type Case = [
  transport: Transport,
  name: string,
  origin: () => string | undefined,
  site: string | undefined,
  outcome: number | 'connected',
]

function own(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function client(transport: Transport, headers: Headers, space = '/'): Client {
  const given = {
    ...(headers.cookie !== undefined && { cookie: headers.cookie }),
    ...(headers.origin !== undefined && { origin: headers.origin }),
    ...(headers.site !== undefined && { 'sec-fetch-site': headers.site }),
  }
  const options: Partial<ManagerOptions & SocketOptions> = {
    transports: [transport],
    extraHeaders: given,
    reconnection: false,
  }
  const made = io(own() + space, options)
  clients.push(made)
  return made
}

function outcomeOf(made: Client): Promise<number | 'connected'> {
  return new Promise((resolve) => {
    made.on('connect', () => resolve('connected'))
    made.on('connect_error', (error) => {
      resolve((error as { data?: { status: number } }).data?.status ?? -1)
    })
  })
}

async function connected(headers: Headers, space = '/'): Promise<Client> {
  const made = client('websocket', headers, space)
  expect(await outcomeOf(made)).toBe('connected')
  return made
}

interface Ended {
  readonly told: unknown
  readonly reason: string
  readonly at: number
}

function endOf(made: Client): Promise<Ended> {
  let told: unknown
  made.on('session:end', (closing) => (told = closing))
  return new Promise((resolve) => {
    made.on('disconnect', (reason) => resolve({ told, reason, at: Date.now() }))
  })
}

describe('who may connect with socket.io', () => {
  const cases: readonly Case[] = [
    ['websocket', 'our own', own, undefined, 'connected'],
    ['websocket', 'a sibling', () => 'http://sibling.127.0.0.1', undefined, 403],
    ['websocket', 'null', () => 'null', undefined, 403],
    ['websocket', 'none', () => undefined, undefined, 403],
    ['polling', 'our own', own, undefined, 'connected'],
    ['polling', 'a sibling', () => 'http://sibling.127.0.0.1', undefined, 403],
    ['polling', 'none', () => undefined, undefined, 403],
    ['polling', 'none, from our own page', () => undefined, 'same-origin', 'connected'],
    ['polling', 'none, from a sibling page', () => undefined, 'same-site', 403],
  ]

  test.each(cases)('%s with an Origin that is %s', async (transport, _, origin, site, outcome) => {
    await serve()
    const { cookie } = await visitorOf()
    const headers = { cookie, origin: origin(), ...(site !== undefined && { site }) }
    expect(await outcomeOf(client(transport, headers))).toBe(outcome)
  })

  test('without a session, or a user, nobody does, if that is said', async () => {
    await serve({ requireUser: true })
    const anonymous = await visitorOf()
    const alice = await visitorOf('alice')
    const origin = own()
    expect(await outcomeOf(client('websocket', { origin }))).toBe(401)
    expect(await outcomeOf(client('websocket', { origin, cookie: anonymous.cookie }))).toBe(401)
    expect(await outcomeOf(client('websocket', { origin, cookie: alice.cookie }))).toBe('connected')
  })

  test('an outage of the store is 503', async () => {
    await serve()
    const { cookie } = await visitorOf()
    await sessions.close()
    expect(await outcomeOf(client('websocket', { origin: own(), cookie }))).toBe(503)
  })
})

test('a server with types of its own takes the middleware', () => {
  const typed = new Server<{ say: (text: string) => void }, { told: (text: string) => void }>()
  live = session(sessions)
  sockets = undefined
  expect(typed.use(live.socketio())).toBeDefined()
})

describe('a socket of socket.io', () => {
  test('reads and writes what requests see', async () => {
    await serve()
    const { visitor, cookie } = await visitorOf()
    const socket = await connected({ cookie, origin: own() })
    expect(await socket.emitWithAck('name')).toBe('alice')
    await visitor.request((current) => current.set('name', 'Alice').set('views', 1))
    expect(await socket.emitWithAck('name')).toBe('Alice')
    expect(await socket.emitWithAck('count')).toBe(2)
    expect((await visitor.request((current) => current.get('views'))).result).toBe(2)
  })

  test('has its session as a property, too', async () => {
    await serve()
    const { cookie } = await visitorOf()
    const seen = new Promise((resolve) => {
      sockets?.on('connection', (socket) => {
        resolve(Reflect.get(socket, 'session') === getSession(socket))
      })
    })
    await connected({ cookie, origin: own() })
    expect(await seen).toBe(true)
  })

  test.each(['revoke', 'logout', 'login'] as const)(
    'is told and disconnected within a second at a %s',
    async (what) => {
      await serve()
      const { visitor, cookie } = await visitorOf('alice')
      const socket = await connected({ cookie, origin: own() })
      const ended = endOf(socket)
      await visitor.request(async (current) => {
        if (what === 'revoke') await sessions.revoke(current.id)
        else if (what === 'login') current.login('alice')
        else current.logout()
      })
      const at = Date.now()
      const { told, reason, at: when } = await ended
      const why = what === 'login' ? 'session fenced' : 'session ended'
      expect([told, reason]).toEqual([{ code: 1008, reason: why }, 'io server disconnect'])
      expect(when - at).toBeLessThan(SECOND)
      expect(live.size).toBe(0)
    },
  )

  test('is disconnected when nobody tells of the end', async () => {
    await serve({ closeCode: 4401 })
    const { visitor, cookie } = await visitorOf()
    const socket = await connected({ cookie, origin: own() })
    const ended = endOf(socket)
    const { result: id } = await visitor.request((current) => current.id)
    await store.destroy(id)
    const at = Date.now()
    expect((await ended).told).toEqual({ code: 4401, reason: 'session ended' })
    expect((await ended).at - at).toBeLessThan(SECOND)
  })

  test('is not heard after the end, when each message is checked', async () => {
    await serve({ checkMessages: true, checkEvery: '1h' })
    const { visitor, cookie } = await visitorOf()
    const socket = await connected({ cookie, origin: own() })
    const answers = ['one', 'two', 'three'].map((text) => socket.emitWithAck('say', text))
    expect(await Promise.all(answers)).toEqual(['heard one', 'heard two', 'heard three'])
    const { result: id } = await visitor.request((current) => current.id)
    const ended = endOf(socket)
    await store.destroy(id)
    socket.emit('say', 'late', () => undefined)
    await ended
    expect(heard).toEqual(['one', 'two', 'three'])
  })

  test('joins a second namespace later, also after a renewal, and not after the end', async () => {
    await serve({ anonymous: 'refuse' })
    const { visitor, cookie } = await visitorOf()
    const socket = await connected({ cookie, origin: own() })
    for (let count = 0; count < 3; count++) await visitor.request((current) => current.renew())
    const second = socket.io.socket('/second')
    clients.push(second)
    expect(await outcomeOf(second)).toBe('connected')
    expect(await second.emitWithAck('count')).toBe(1)
    expect(live.size).toBe(2)
    second.disconnect()
    await until(() => live.size === 1)
    const ended = endOf(socket)
    await visitor.request((current) => current.destroy())
    await ended
    expect(live.size).toBe(0)
  })

  test('leaves nothing behind, also when another middleware refuses it', async () => {
    await serve()
    sockets?.use((_socket, next) => next(new Error('not you')))
    const { cookie } = await visitorOf()
    const refused = client('websocket', { cookie, origin: own() })
    expect(await outcomeOf(refused)).toBe(-1)
    refused.disconnect()
    refused.io.engine.close()
    await until(() => live.size === 0)
    await sleep(50)
    expect(live.size).toBe(0)
  })

  test('is anonymous without a cookie, and stays', async () => {
    await serve()
    const socket = await connected({ origin: own() })
    expect(await socket.emitWithAck('name')).toBe(null)
    expect(await socket.emitWithAck('say', 'hello')).toBe('heard hello')
    expect(live.size).toBe(0)
  })
})
