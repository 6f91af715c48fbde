import type { Server } from 'node:http'
import type { Http2Server } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { RequestInfo } from '../../../src/manager.ts'
import type { CheckServer } from '../../../src/conformance/adapter-checks/harness.ts'

/** What the proxy in front says of a request, for frameworks that have no way of their own to ask it. */
export function fromProxy(header: (name: string) => string | null | undefined): RequestInfo {
  const address = header('x-forwarded-for') ?? undefined
  const secure = header('x-forwarded-proto') === 'https'
  return { secure, ...(address !== undefined && { address }) }
}

/** True for the paths that the checks want to be skipped. */
export function pathIsStatic(target: string | undefined): boolean {
  return target?.startsWith('/static/') === true
}

/** What ends all connections of a server. */
export function cutting(server: Server | Http2Server): () => void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return () => {
    for (const socket of sockets) socket.destroy()
  }
}

/** Listens on a free port of the loopback address; closing cuts the connections. */
export async function listening(server: Server | Http2Server): Promise<CheckServer> {
  const cut = cutting(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      cut()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
