import type { IncomingMessage } from 'node:http'
import type { Closing } from './end.ts'
import type { Refusal } from './options.ts'

/** What is needed of a socket of socket.io 4. */
export interface SocketIoSocket {
  readonly connected: boolean
  readonly request: IncomingMessage
  readonly conn: {
    once(event: 'close', listener: () => void): unknown
    off(event: 'close', listener: () => void): unknown
    close(): unknown
  }
  use(middleware: (event: unknown, next: (error?: Error) => void) => void): unknown
  once(event: 'disconnect', listener: () => void): unknown
  emit(event: string, ...args: never[]): unknown
  disconnect(close?: boolean): unknown
}

/** A middleware of a namespace. */
export type SocketIoMiddleware<Socket> = (socket: Socket, next: (error?: Error) => void) => void

/** The event that a client gets before it is disconnected: `{ code, reason }`. */
export const END_EVENT = 'session:end'

/** Runs `left` once, when a socket has left its namespace or its connection is closed. */
export function whenLeft(socket: SocketIoSocket, left: () => void): void {
  const leave = (): void => {
    socket.conn.off('close', leave)
    left()
  }
  socket.conn.once('close', leave)
  socket.once('disconnect', leave)
}

/** Ends the whole connection: all its namespaces have the same session. */
export function closeSocketIo(socket: SocketIoSocket, closing: Closing): void {
  if (!socket.connected) return void socket.conn.close()
  socket.emit(END_EVENT, closing as never)
  socket.disconnect(true)
}

/** What a client gets as `connect_error`: `error.data.status` says which it is. */
export function connectError({ status }: Refusal): Error {
  return Object.assign(new Error(TEXTS[status]), { data: { status } })
}

const TEXTS = { 401: 'unauthorized', 403: 'forbidden', 503: 'unavailable' } as const
