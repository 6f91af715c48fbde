import { Agent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect, constants } from 'node:http2'
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'

/** What servers under test may speak. */
export type Protocol = 'http/1.1' | 'h2'

/** A response whose headers have arrived; the body may still be on its way. */
export class Reply {
  readonly status: number
  readonly #headers: IncomingHttpHeaders
  readonly #body: Readable

  constructor(status: number, headers: IncomingHttpHeaders, body: Readable) {
    this.status = status
    this.#headers = headers
    this.#body = body
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** Every Set-Cookie line. */
  get cookies(): readonly string[] {
    return this.#headers['set-cookie'] ?? []
  }

  /** The body, when its end has come. Throws if it was cut off. */
  async text(): Promise<string> {
    let text = ''
    for await (const chunk of this.#body.setEncoding('utf8')) text += String(chunk)
    return text
  }

  async json(): Promise<Readonly<Record<string, unknown>>> {
    return JSON.parse(await this.text()) as Record<string, unknown>
  }

  /** Goes away without reading the rest. */
  cut(): void {
    const body = this.#body
    if ('close' in body && typeof body.close === 'function') body.close(constants.NGHTTP2_CANCEL)
    else body.destroy()
  }
}

/** What is sent beyond method and path. */
export interface SendOptions {
  readonly method?: string
  /** The Cookie header; without it that of the jar is sent. */
  readonly cookie?: string
  /** More headers, with names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A browser with one cookie jar and one connection, as far as the checks need one. */
export class CheckClient {
  /** The cookies it holds, by name. */
  readonly jar: Map<string, string> = new Map()
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  readonly #session: ClientHttp2Session | undefined

  constructor(port: number, protocol: Protocol) {
    this.#port = port
    if (protocol === 'h2') this.#session = connect(`http://127.0.0.1:${port}`)
  }

  /** Resolves when the headers have arrived, and keeps the cookies they set. */
  async send(path: string, options: SendOptions = {}): Promise<Reply> {
    const { method = 'GET', cookie = this.#cookieHeader() } = options
    const headers = { ...(cookie !== '' && { cookie }), ...options.headers }
    const reply = await (this.#session === undefined
      ? this.#http(path, method, headers)
      : this.#http2(this.#session, path, method, headers))
    for (const line of reply.cookies) this.#keep(line)
    return reply
  }

  /** The whole body of a GET, as JSON. */
  async json(path: string): Promise<Readonly<Record<string, unknown>>> {
    return (await this.send(path)).json()
  }

  /** The values and the user of the session, as the application sees them. */
  async values(): Promise<unknown> {
    return this.json('/values')
  }

  /** A second window of the same browser: the same cookies, another jar. */
  copyTo(other: CheckClient): void {
    for (const [name, value] of this.jar) other.jar.set(name, value)
  }

  close(): void {
    this.#agent.destroy()
    this.#session?.destroy()
  }

  #cookieHeader(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */)
    const at = pair.indexOf('=')
    const ended = attributes.some((attribute) => /^max-age=0$/i.test(attribute))
    if (ended) this.jar.delete(pair.slice(0, at))
    else this.jar.set(pair.slice(0, at), pair.slice(at + 1))
  }

  // A server may close an idle connection just when it is used again: then browsers try a new one.
  #http(path: string, method: string, headers: Record<string, string>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, path, method, headers }
      const request = httpRequest({ ...options, agent: this.#agent })
      request.on('response', (response: IncomingMessage) =>
        resolve(new Reply(response.statusCode ?? 0, response.headers, response)),
      )
      request.on('error', (error) => {
        if (!request.reusedSocket || !('code' in error) || error.code !== 'ECONNRESET')
          reject(error)
        else resolve(this.#http(path, method, headers))
      })
      request.end()
    })
  }

  #http2(
    session: ClientHttp2Session,
    path: string,
    method: string,
    headers: Record<string, string>,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { host, ...others } = headers
      const authority = host === undefined ? {} : { ':authority': host }
      const target = { ':path': path, ':method': method, ...authority }
      const stream = session.request({ ...target, ...others })
      stream.on('response', (received) =>
        resolve(new Reply(received[':status'] ?? 0, received, stream)),
      )
      stream.on('error', reject)
      stream.end()
    })
  }
}
