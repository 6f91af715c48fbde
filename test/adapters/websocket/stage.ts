import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import type { RawData } from 'ws'
import { session } from '../../../src/adapters/websocket.ts'
import type {
  LiveSession,
  LiveSessions,
  WebSocketOptions,
} from '../../../src/adapters/websocket.ts'
import type { DefaultData } from '../../../src/session-data.ts'
import { SessionManager } from '../../../src/manager.ts'
import type { SessionOptions } from '../../../src/options.ts'
import type { SessionId } from '../../../src/store.ts'
import { MemoryStore } from '../../../src/stores/memory.ts'
import { SECRET } from '../../support/stage.ts'
import { Visitor } from '../../support/visitor.ts'

/** A connection as the server has it. */
export interface Served {
  readonly socket: WebSocket
  readonly live: LiveSession
  readonly messages: string[]
}

/** How a connection was closed, seen by the client. */
export interface Closed {
  readonly code: number
  readonly reason: string
  /** ms since the epoch. */
  readonly at: number
}

interface ConnectOptions {
  readonly cookie?: string | undefined
  /** Default: our own. */
  readonly origin?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** A server of `ws` with sessions, and its clients. */
export class LiveStage {
  readonly sessions: SessionManager
  readonly live: LiveSessions<DefaultData>
  readonly served: Served[] = []
  readonly #server = createServer((_request, response) => void response.end('plain'))
  readonly #sockets = new WebSocketServer({ noServer: true })
  readonly #clients = new Set<WebSocket>()

  constructor(options: WebSocketOptions = {}, sessionOptions: SessionOptions = {}) {
    this.sessions = new SessionManager({
      secret: SECRET,
      store: new MemoryStore(),
      ...sessionOptions,
    })
    this.live = session(this.sessions, options)
    const onConnection = (socket: WebSocket, _request: IncomingMessage, live: LiveSession) => {
      const messages: string[] = []
      this.served.push({ socket, live, messages })
      socket.on('message', (data) => {
        messages.push(textOf(data))
        socket.send(`got ${textOf(data)}`)
      })
    }
    this.#server.on('upgrade', this.live.upgrade(this.#sockets, onConnection))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async begin(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  /** A visitor with a session. */
  async visitor(user?: string): Promise<{ visitor: Visitor; id: SessionId }> {
    const visitor = new Visitor(this.sessions)
    const { result: id } = await visitor.request((session) => {
      session.set('name', 'alice')
      if (user !== undefined) session.login(user)
      return session.id
    })
    return { visitor, id }
  }

  client(options: ConnectOptions = {}): WebSocket {
    const own = `http://127.0.0.1:${this.port}`
    const origin = 'origin' in options ? options.origin : own
    const { cookie } = options
    const client = new WebSocket(`ws://127.0.0.1:${this.port}/`, {
      ...(origin !== undefined && { origin }),
      headers: { ...(cookie !== undefined && { cookie }), ...options.headers },
    })
    this.#clients.add(client)
    client.on('error', () => undefined)
    return client
  }

  /** Connects, and resolves with both ends. */
  async connect(options: ConnectOptions = {}): Promise<Served & { client: WebSocket }> {
    const before = this.served.length
    const client = this.client(options)
    await once(client, 'open')
    const served = this.served[before]
    if (served === undefined) throw new Error('the server has no connection')
    return { ...served, client }
  }

  /** The status that an upgrade is answered with. */
  status(options: ConnectOptions): Promise<number | undefined> {
    const client = this.client(options)
    return new Promise((resolve, reject) => {
      client.on('open', () => resolve(101))
      client.on('unexpected-response', (request, response) => {
        request.destroy()
        resolve(response.statusCode)
      })
      setTimeout(() => reject(new Error('no answer to the upgrade')), 10_000).unref()
    })
  }

  stopListening(): void {
    this.#server.close()
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.terminate()
    await this.live.close()
    this.#sockets.close()
    this.#server.close()
    this.#server.closeAllConnections()
    await this.sessions.close()
  }
}

export function closeOf(client: WebSocket): Promise<Closed> {
  return new Promise((resolve) => {
    client.on('close', (code, reason) => resolve({ code, reason: String(reason), at: Date.now() }))
  })
}

export function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : ''
}

/** What a connection says when it answers a message, or `closed`. */
export function answerTo(client: WebSocket, message: string): Promise<string> {
  return new Promise((resolve) => {
    client.once('message', (data) => resolve(textOf(data)))
    client.once('close', () => resolve('closed'))
    client.send(message)
  })
}

/** Waits until something is so. */
export async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > 10_000) throw new Error(`it never came: ${holds.toString()}`)
    await sleep(10)
  }
}
