import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { SessionError } from '../errors.ts'

/** A server that accepts connections. */
export interface Listening {
  readonly server: Server
  /** Also when 0 was asked for. */
  readonly port: number
  readonly address: string
  /** For people: `http://localhost:8888`. */
  readonly url: string
}

/** Answers one request; resolves when the last step of it has ended. */
export type Answer = (message: IncomingMessage, response: ServerResponse) => Promise<unknown>

/** An HTTP server that can be closed without cutting off anybody, and without waiting for idlers. */
export class GracefulServer {
  readonly #server: Server
  readonly #answer: Answer
  readonly #sockets = new Map<Socket, number>()
  readonly #running = new Set<Promise<unknown>>()
  #closing = false

  constructor(answer: Answer) {
    this.#answer = answer
    this.#server = createServer((message, response) => this.#accept(message, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.set(socket, 0)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** @throws SessionError with one line that says what to do, if the port cannot be had */
  listen(port: number, address: string): Promise<Listening> {
    return new Promise((resolve, reject) => {
      if (!isPort(port)) throw noPort(port)
      this.#server.once('error', (error) => reject(cannotListen(port, address, error)))
      this.#server.listen(port, address, () => {
        const { port: actual } = this.#server.address() as AddressInfo
        const host = isThisMachine(address) ? 'localhost' : address
        const url = `http://${host.includes(':') ? `[${host}]` : host}:${actual}`
        resolve({ server: this.#server, port: actual, address, url })
      })
    })
  }

  /**
   * Accepts nothing new, ends idle connections, and waits for requests that run.
   *
   * @param patience - ms after which connections that are still there are cut
   */
  async close(patience: number): Promise<void> {
    this.#closing = true
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const [socket, requests] of this.#sockets) if (requests === 0) socket.destroy()
    const impatience = setTimeout(() => this.#server.closeAllConnections(), patience)
    await closed
    clearTimeout(impatience)
    await Promise.race([Promise.allSettled(this.#running), timeout(patience)])
  }

  #accept(message: IncomingMessage, response: ServerResponse): void {
    const { socket } = message
    this.#count(socket, 1)
    response.once('close', () => {
      this.#count(socket, -1)
      if (this.#closing && this.#sockets.get(socket) === 0) socket.end()
    })
    if (this.#closing) response.shouldKeepAlive = false
    const running = this.#answer(message, response).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  #count(socket: Socket, by: number): void {
    const requests = this.#sockets.get(socket)
    if (requests !== undefined) this.#sockets.set(socket, requests + by)
  }
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}

function isThisMachine(address: string): boolean {
  return ['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::', ''].includes(address)
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken. Stop the program that has it, or choose another port.',
  EACCES: 'needs rights that this program does not have. Choose one from 1024 up.',
  EADDRNOTAVAIL: 'cannot be used: this machine does not have that address.',
  ENOTFOUND: 'cannot be used: the address has no such name.',
}

function cannotListen(port: number, address: string, cause: NodeJS.ErrnoException): SessionError {
  const reason = REASONS[cause.code ?? ''] ?? 'cannot be listened on.'
  return new SessionError('ERR_SESSION_OPTION', `Port ${port} on ${address} ${reason}`, { cause })
}

function isPort(port: unknown): boolean {
  return typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535
}

function noPort(port: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_OPTION',
    `${String(port).slice(0, 20)} is no port: listen takes a number from 0 to 65535, such as Number(process.env.PORT ?? 8888).`,
  )
}
