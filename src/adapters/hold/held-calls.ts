import { pretend, pretendEnd } from './pretence.ts'
import type { Held, Pretence } from './pretence.ts'
import { headersHaveLeft } from './response.ts'
import type { NodeResponse } from './response.ts'

/** A call of the application that waits. */
export interface HeldCall {
  readonly name: string
  readonly args: readonly unknown[]
}

/**
 * The calls of an application that were held back, in order. Meanwhile the response looks to it as if
 * they had been made: the headers count as sent, they can no longer be changed, and `write` answers
 * false when as much waits as the response would take.
 */
export class HeldCalls implements Held {
  readonly #response: NodeResponse
  readonly #calls: HeldCall[] = []
  #pretence: Pretence | undefined
  #bytes = 0
  #ended = false

  constructor(response: NodeResponse) {
    this.#response = response
  }

  /** True if the application has ended the response. */
  get ended(): boolean {
    return this.#ended
  }

  /** True if the application was told to wait for `drain`. */
  get needsDrain(): boolean {
    return this.#bytes >= this.#response.writableHighWaterMark
  }

  /** Keeps a call and answers what the response would. */
  add(name: string, args: readonly unknown[]): unknown {
    this.#pretence ??=
      name === 'end' ? pretendEnd(this.#response, this) : pretend(this.#response, this)
    if (name === 'write') checkChunk(args[0])
    if (this.#calls.length > 0 && isHead(name)) throw headersHaveLeft(this.#response)
    this.#calls.push({ name, args })
    if (name === 'end') this.#end()
    if (name !== 'write') return name === 'flushHeaders' ? undefined : this.#response
    this.#bytes += sizeOf(args[0], args[1])
    return !this.needsDrain
  }

  /** Ends the pretence and answers the calls, to be made now. */
  release(): readonly HeldCall[] {
    this.#pretence?.end()
    return this.#calls
  }

  /** Tells the callbacks of the calls that they will never be made. */
  abandon(error: unknown): void {
    for (const { args } of this.#calls) tellCallback(args, error)
  }

  #end(): void {
    this.#ended = true
    this.#pretence?.ended()
  }
}

/** True for `writeHead` under both its names. */
export function isHead(name: string): boolean {
  return name === 'writeHead' || name === 'writeHeader'
}

/** Calls the callback among the arguments of `write` or `end`, if there is one. */
export function tellCallback(args: readonly unknown[], error: unknown): void {
  const callback = args.at(-1)
  if (typeof callback === 'function') process.nextTick(callback, error)
}

function checkChunk(chunk: unknown): void {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return
  const code = chunk === null ? 'ERR_STREAM_NULL_VALUES' : 'ERR_INVALID_ARG_TYPE'
  throw Object.assign(new TypeError('A chunk must be text or bytes.'), { code })
}

function sizeOf(chunk: unknown, encoding: unknown): number {
  if (chunk instanceof Uint8Array) return chunk.byteLength
  const known = typeof encoding === 'string' && Buffer.isEncoding(encoding)
  return Buffer.byteLength(String(chunk), known ? encoding : 'utf8')
}
