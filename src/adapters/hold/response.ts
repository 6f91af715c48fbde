import type { EventEmitter } from 'node:events'

/** One header to append to a response. */
export type HeaderLine = readonly [name: string, value: string]

/** What the gate needs of a response: that of `node:http` has it, and that of `node:http2`. */
export interface NodeResponse extends EventEmitter {
  statusCode: number
  statusMessage: string
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly destroyed?: boolean
  readonly writableHighWaterMark: number
  setHeader(name: string, value: string | readonly string[]): unknown
  getHeader(name: string): number | string | readonly string[] | undefined
  getHeaders(): Readonly<Record<string, unknown>>
  getHeaderNames(): string[]
  hasHeader(name: string): boolean
  removeHeader(name: string): void
  appendHeader(name: string, value: string): unknown
  end(text: string): unknown
  destroy(error?: Error): unknown
}

/** Gets the calls of the methods that write a response. */
export interface Receiver {
  call(name: string, args: readonly unknown[]): unknown
}

/** True for a response of `node:http2`. */
export function isHttp2(response: NodeResponse): boolean {
  return 'stream' in response
}

/** The error that Node throws for a change of headers that have left. */
export function headersHaveLeft(response: NodeResponse): Error {
  const code = isHttp2(response) ? 'ERR_HTTP2_HEADERS_SENT' : 'ERR_HTTP_HEADERS_SENT'
  return Object.assign(new Error('The headers can no longer be changed: the response has begun.'), {
    code,
  })
}
