import { STATUS_CODES } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Closing } from './end.ts'
import type { Valve } from './gate.ts'

/** What is needed of a WebSocket; that of `ws` 8 has it. */
export interface WsSocket {
  readonly isPaused: boolean
  emit(event: string | symbol, ...args: unknown[]): boolean
  on(event: 'close', listener: () => void): unknown
  close(code?: number, reason?: string): void
  terminate(): void
  pause(): void
  resume(): void
}

/** What is needed of a server; a `WebSocketServer` of `ws` 8 with `noServer` has it. */
export interface WsServer<Socket extends WsSocket> {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (socket: Socket, request: IncomingMessage) => void,
  ): void
  emit(event: string | symbol, ...args: unknown[]): boolean
}

/** How the messages and the end of a socket are handed on. */
export interface Passage {
  readonly message: (deliver: () => void) => void
  readonly closed: (last: () => void) => void
}

// A client that does not answer the closing handshake is cut off.
const HANDSHAKE_LIMIT = 1_000

/** Leads what a socket emits through a passage, before any listener gets it. */
export function intercept(socket: WsSocket, { message, closed }: Passage): void {
  const emit = socket.emit.bind(socket)
  socket.emit = (event, ...args) => {
    if (event === 'message') message(() => emit(event, ...args))
    else if (event === 'close') closed(() => emit(event, ...args))
    else return emit(event, ...args)
    return true
  }
}

/** Stops reading from a socket, unless it is paused already. */
export function valveOf(socket: WsSocket): Valve {
  let paused = false
  return {
    pause: () => {
      paused = !socket.isPaused
      if (paused) socket.pause()
    },
    resume: () => {
      if (paused) socket.resume()
      paused = false
    },
  }
}

export function closeSocket(socket: WsSocket, { code, reason }: Closing): void {
  socket.close(code, reason)
  const timer = setTimeout(() => socket.terminate(), HANDSHAKE_LIMIT).unref()
  socket.on('close', () => clearTimeout(timer))
}

/** Answers an upgrade that is refused. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  const text = STATUS_CODES[status] ?? ''
  const lines = [
    `HTTP/1.1 ${status} ${text}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length + 1}`,
    'Cache-Control: no-store',
  ]
  const destroy = () => void socket.destroy()
  socket.on('error', destroy).once('finish', destroy)
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}\n`)
}

/** Keeps an error of a socket from ending the process while nobody else listens. */
export function quietly<T>(socket: Duplex, work: () => Promise<T>): Promise<T> {
  const ignore = () => socket.destroy()
  socket.on('error', ignore)
  return work().finally(() => socket.off('error', ignore))
}
