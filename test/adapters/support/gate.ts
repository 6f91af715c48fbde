import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HeaderLine } from '../../../src/adapters/hold.ts'

export const NOTHING: readonly HeaderLine[] = []
export const COOKIE: readonly HeaderLine[] = [
  ['Set-Cookie', 'ours=1'],
  ['Cache-Control', 'no-store'],
  ['Vary', 'Cookie'],
]

export async function later(
  ms: number,
  lines: readonly HeaderLine[] = COOKIE,
): Promise<readonly HeaderLine[]> {
  await sleep(ms)
  return lines
}

/** Servers of one test file, on the loopback address; closed together. */
export class Servers {
  readonly #closing: (() => Promise<void>)[] = []

  async http(
    handle: (response: ServerResponse, request: IncomingMessage) => unknown,
  ): Promise<{ port: number; server: Server }> {
    const server = createServer((request, response) => void handle(response, request))
    return { port: await this.#listen(server, () => server.closeAllConnections()), server }
  }

  async http2(
    handle: (response: Http2ServerResponse, request: Http2ServerRequest) => unknown,
  ): Promise<number> {
    const server = createHttp2Server((request, response) => void handle(response, request))
    const sessions = new Set<{ destroy(): void }>()
    server.on('session', (session) => sessions.add(session))
    return this.#listen(server, () => sessions.forEach((session) => session.destroy()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing.splice(0).map((close) => close()))
  }

  async #listen(
    server: Server | ReturnType<typeof createHttp2Server>,
    cut: () => void,
  ): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#closing.push(() => {
      cut()
      return new Promise((resolve) => server.close(() => resolve()))
    })
    return (server.address() as AddressInfo).port
  }
}
