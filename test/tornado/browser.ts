import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { CookieJar } from 'tough-cookie'

/** A response as it came, with nothing done to it. */
export interface Reply {
  readonly status: number
  readonly reason: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The Set-Cookie lines. */
  readonly cookies: readonly string[]
}

/** What a request sends beside its path. */
export interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

/** Makes one request. Redirects are not followed. */
export function fetchRaw(url: string, sent: Sent = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = sent
    const outgoing = request(url, { method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        resolve({
          status: incoming.statusCode ?? 0,
          reason: incoming.statusMessage ?? '',
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          cookies: incoming.headers['set-cookie'] ?? [],
        })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** A browser profile: a real cookie jar, which keeps to the rules for prefixes and Secure. */
export class Browser {
  readonly jar: CookieJar
  readonly #origin: string
  readonly #headers: Record<string, string>

  constructor(
    origin: string,
    headers: Record<string, string> = {},
    jar: CookieJar = new CookieJar(undefined, { prefixSecurity: 'strict' }),
  ) {
    this.jar = jar
    this.#origin = origin
    this.#headers = headers
  }

  /** The same profile, at another port of the same host: cookies do not tell ports apart. */
  movedTo(origin: string): Browser {
    return new Browser(origin, this.#headers, this.jar)
  }

  async send(path: string, sent: Sent = {}): Promise<Reply> {
    const url = this.#origin + path
    const cookie = await this.jar.getCookieString(url)
    const headers = { ...this.#headers, ...(cookie !== '' && { cookie }), ...sent.headers }
    const reply = await fetchRaw(url, { ...sent, headers })
    for (const line of reply.cookies) await this.jar.setCookie(line, url)
    return reply
  }

  get(path: string): Promise<Reply> {
    return this.send(path)
  }

  /** Sends a form. */
  post(path: string, fields: Record<string, string> = {}): Promise<Reply> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.send(path, {
      method: 'POST',
      headers,
      body: new URLSearchParams(fields).toString(),
    })
  }

  /** The value of a cookie, if the jar would send it. */
  async cookie(name: string): Promise<string | undefined> {
    const cookies = await this.jar.getCookies(this.#origin)
    return cookies.find(({ key }) => key === name)?.value
  }
}
