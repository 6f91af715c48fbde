import { createHash } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { SessionError } from '../errors.ts'
import { phraseOf } from './http-error.ts'
import type { HttpRequest } from './http-request.ts'

/** What a header may be set to; a date is written as HTTP writes it. */
export type HeaderValue = string | number | Date

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304])
const OF_THE_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language']

/** A response that is being made: nothing leaves before `send`. */
export class Output {
  #status = 200
  #reason: string | undefined
  readonly #headers = new Map<string, readonly [name: string, values: string[]]>()
  readonly #cookies = new Map<string, string>()
  #chunks: Buffer[] = []

  get status(): number {
    return this.#status
  }

  /** @throws SessionError `ERR_SESSION_MISUSE` for a status that no response can have */
  setStatus(status: number, reason: string | undefined): void {
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw misuse(`A response cannot have the status ${status}: take a number from 200 to 999.`)
    }
    this.#status = status
    this.#reason = reason !== undefined && /[^\x20-\x3b\x3d-\x7e]/.test(reason) ? 'Unknown' : reason
  }

  /** The phrase that goes with the status. */
  get reason(): string {
    return this.#reason ?? phraseOf(this.#status)
  }

  setHeader(name: string, value: HeaderValue): void {
    this.#headers.set(name.toLowerCase(), [name, [headerText(name, value)]])
  }

  addHeader(name: string, value: HeaderValue): void {
    const known = this.#headers.get(name.toLowerCase())
    if (known === undefined) this.setHeader(name, value)
    else known[1].push(headerText(name, value))
  }

  clearHeader(name: string): void {
    this.#headers.delete(name.toLowerCase())
  }

  header(name: string): string | undefined {
    return this.#headers.get(name.toLowerCase())?.[1].join(', ')
  }

  /** One line for each name: the last one counts, and goes to the end. */
  setCookie(name: string, line: string): void {
    this.#cookies.delete(name)
    this.#cookies.set(name, line)
  }

  /** Forgets the cookies that were set: the response does not claim what was not stored. */
  clearCookies(): void {
    this.#cookies.clear()
    this.clearHeader('Set-Cookie')
  }

  write(chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  /** Status, headers and body as they were in the beginning; cookies stay. */
  reset(): void {
    this.#status = 200
    this.#reason = undefined
    this.#headers.clear()
    this.#chunks = []
  }

  /** Adds what a session has to say: Cache-Control replaces what was set, Vary is merged. */
  append(lines: Iterable<readonly [name: string, value: string]>): void {
    for (const [name, value] of lines) {
      const lower = name.toLowerCase()
      if (lower === 'cache-control') this.setHeader(name, value)
      else if (lower !== 'vary' || !this.#variesBy(value)) this.addHeader(name, value)
    }
  }

  /** @throws SessionError `ERR_SESSION_MISUSE` if there is a body where none may be */
  check(): void {
    if (!WITHOUT_BODY.has(this.#status) || this.#chunks.every((chunk) => chunk.length === 0)) return
    throw misuse(
      `A response with status ${this.#status} has no body. Write nothing, or set another status.`,
    )
  }

  /** Sends all of it. A client that has gone away is no error. */
  send({ method, headers, response }: HttpRequest): void {
    if (response.destroyed || response.headersSent) return
    let body = Buffer.concat(this.#chunks)
    if (this.#unchanged(method, headers['if-none-match'], body)) body = this.#notModified()
    this.#addCookies()
    if (!WITHOUT_BODY.has(this.#status)) this.setHeader('Content-Length', body.length)
    for (const [name, values] of this.#headers.values()) {
      response.setHeader(name, values.length === 1 ? (values[0] ?? '') : values)
    }
    response.writeHead(this.#status, this.reason)
    response.end(body)
  }

  // A response with a cookie is made for one visitor, once: it gets no tag and is never a 304.
  #unchanged(method: string, known: string | undefined, body: Buffer): boolean {
    if (this.#status !== 200 || (method !== 'GET' && method !== 'HEAD')) return false
    if (this.#cookies.size > 0 || this.#headers.has('set-cookie')) return false
    if (this.header('Cache-Control')?.includes('no-store') === true) return false
    const tag = this.header('Etag') ?? `"${createHash('sha1').update(body).digest('hex')}"`
    this.setHeader('Etag', tag)
    return known !== undefined && matchesTag(known, tag)
  }

  #notModified(): Buffer<ArrayBuffer> {
    this.setStatus(304, undefined)
    for (const name of OF_THE_BODY) this.clearHeader(name)
    return Buffer.alloc(0)
  }

  #addCookies(): void {
    for (const line of this.#cookies.values()) this.addHeader('Set-Cookie', line)
  }

  #variesBy(field: string): boolean {
    const fields =
      this.header('Vary')
        ?.toLowerCase()
        .split(/\s*,\s*/) ?? []
    return fields.includes('*') || fields.includes(field.toLowerCase())
  }
}

// RFC 9110, 13.1.2: the weak comparison.
function matchesTag(header: string, tag: string): boolean {
  const strong = tag.replace(/^W\//, '')
  const tags = header.match(/\*|(?:W\/)?"[^"]*"/g) ?? []
  return tags.some((one) => one === '*' || one.replace(/^W\//, '') === strong)
}

function headerText(name: string, value: HeaderValue): string {
  const text = value instanceof Date ? value.toUTCString() : String(value)
  try {
    validateHeaderName(name)
    validateHeaderValue(name, text)
    return text
  } catch {
    const which = JSON.stringify(name.slice(0, 40))
    throw misuse(`The header ${which} has a name or a value that cannot be sent. Encode it first.`)
  }
}

function misuse(message: string): SessionError {
  return new SessionError('ERR_SESSION_MISUSE', message)
}
