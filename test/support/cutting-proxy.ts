import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A server to stand before. */
export interface Upstream {
  readonly host: string
  readonly port: number
}

/** Starts a proxy on 127.0.0.1 that can lose answers. */
export async function startCuttingProxy(upstream: Upstream): Promise<CuttingProxy> {
  const proxy = new CuttingProxy(upstream)
  await proxy.open()
  return proxy
}

/**
 * Stands between a client and a server. After `cutNextReply` the next bytes of the server are kept
 * back and the connection ends: the server has done what it was asked to, and the client never hears.
 */
export class CuttingProxy {
  readonly host = '127.0.0.1'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

  /** Use {@link startCuttingProxy}. */
  constructor(upstream: Upstream) {
    this.#server = createServer((client) => this.#join(client, connect(upstream)))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  cutNextReply(): void {
    this.#cut = true
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, server: Socket): void {
    client.on('data', (bytes) => server.write(bytes))
    server.on('data', (bytes) => {
      if (!this.#cut) return client.write(bytes)
      this.#cut = false
      client.destroy()
      return false
    })
    this.#pair(client, server)
    this.#pair(server, client)
  }

  #pair(socket: Socket, other: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      other.destroy()
    })
  }
}
