import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { parseForm, readBody } from './body.ts'
import type { UploadedFile } from './body.ts'
import { parseRequestCookies } from './cookies.ts'
import { mergeArguments, parseArguments } from './request-arguments.ts'
import type { ArgumentLists } from './request-arguments.ts'

/** The request that a handler answers. */
export class HttpRequest {
  readonly method: string
  /** As it came: path and query, percent-encoded. */
  readonly uri: string
  /** As it came, percent-encoded, without the query. */
  readonly path: string
  /** What follows the `?`, as it came. */
  readonly query: string
  readonly headers: IncomingHttpHeaders
  /** The Host header; said by the client. */
  readonly host: string
  readonly protocol: 'http' | 'https'
  /** The address of the client; that of the proxy unless the setting `xheaders` is on. */
  readonly remoteIp: string
  readonly queryArguments: ArgumentLists
  /** Those of a form, urlencoded or multipart. JSON is not parsed into arguments. */
  bodyArguments: ArgumentLists = new Map()
  files: ReadonlyMap<string, readonly UploadedFile[]> = new Map()
  body: Buffer = Buffer.alloc(0)
  /** The request as node:http has it. */
  readonly message: IncomingMessage
  /** The response as node:http has it. What a handler writes to it directly has no session. */
  readonly response: ServerResponse
  #cookies: ReadonlyMap<string, string> | undefined

  /**
   * @param trusted - whether X-Real-Ip, X-Forwarded-For, X-Scheme and X-Forwarded-Proto are believed
   * @throws HttpError 400 for too many arguments
   */
  constructor(message: IncomingMessage, response: ServerResponse, trusted: boolean) {
    this.message = message
    this.response = response
    this.method = message.method ?? 'GET'
    this.uri = message.url ?? '/'
    const end = this.uri.indexOf('?')
    this.path = end === -1 ? this.uri : this.uri.slice(0, end)
    this.query = end === -1 ? '' : this.uri.slice(end + 1)
    this.headers = message.headers
    this.host = message.headers.host ?? '127.0.0.1'
    this.protocol = protocolOf(message, trusted)
    this.remoteIp = addressOf(message, trusted)
    this.queryArguments = parseArguments(this.query)
  }

  /** Arguments of query and body together, those of the query first. */
  get arguments(): ArgumentLists {
    return mergeArguments(this.queryArguments, this.bodyArguments)
  }

  /** The cookies that came with the request; never one that this request sets. */
  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= parseRequestCookies(this.headers.cookie ?? '')
    return this.#cookies
  }

  /** The absolute URL, made with the Host header. */
  fullUrl(): string {
    return `${this.protocol}://${this.host}${this.uri}`
  }

  /**
   * Reads the body, and the form in it.
   *
   * @param limit - bytes
   * @throws HttpError 413 above the limit, 400 for a malformed form
   */
  async receive(limit: number): Promise<void> {
    if (this.message.headers['transfer-encoding'] === undefined) {
      if (Number(this.message.headers['content-length'] ?? 0) === 0) return
    }
    this.body = await readBody(this.message, limit)
    const form = await parseForm(this.message, this.body)
    this.bodyArguments = form.arguments
    this.files = form.files
  }
}

function protocolOf({ headers, socket }: IncomingMessage, trusted: boolean): 'http' | 'https' {
  const said = trusted ? (headers['x-scheme'] ?? headers['x-forwarded-proto']) : undefined
  const last = lastOf(said)
  if (last === 'http' || last === 'https') return last
  return socket instanceof TLSSocket ? 'https' : 'http'
}

function addressOf({ headers, socket }: IncomingMessage, trusted: boolean): string {
  const said = trusted ? (headers['x-real-ip'] ?? headers['x-forwarded-for']) : undefined
  return lastOf(said) ?? socket.remoteAddress ?? ''
}

// The nearest proxy adds at the end; what stands before it was said by somebody else.
function lastOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.at(-1) : header
  const last = text?.split(',').at(-1)?.trim()
  return last === '' ? undefined : last
}
