import { headersHaveLeft } from './response.ts'
import type { NodeResponse } from './response.ts'

/** A call of the application that waits. */
export interface HeldCall {
  readonly name: string
  readonly args: readonly unknown[]
}

const REFUSED = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader'] as const
const QUEUED = ['cork', 'uncork'] as const

/**
 * The calls of an application that were held back, in order. Meanwhile the response looks to it as if
 * they had been made: the headers count as sent, they can no longer be changed, and `write` answers
 * false when as much waits as the response would take.
 */
export class HeldCalls {
  readonly #response: NodeResponse
  readonly #calls: HeldCall[] = []
  readonly #shown = new Map<string, PropertyDescriptor | undefined>()
  #bytes = 0
  #ended = false

  constructor(response: NodeResponse) {
    this.#response = response
    this.#show('headersSent', () => true)
    this.#show('writableEnded', () => this.#ended)
    this.#show('finished', () => this.#ended)
    this.#show('writableNeedDrain', () => this.needsDrain)
    for (const name of REFUSED) this.#replace(name, () => refuse(response))
    for (const name of QUEUED) this.#replace(name, (...args) => this.add(name, args))
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
    if (name === 'write') checkChunk(args[0])
    if (this.#calls.length > 0 && isHead(name)) throw headersHaveLeft(this.#response)
    this.#calls.push({ name, args })
    if (name === 'end') this.#ended = true
    if (name !== 'write') return name === 'flushHeaders' ? undefined : this.#response
    this.#bytes += sizeOf(args[0], args[1])
    return !this.needsDrain
  }

  /** Ends the pretence and answers the calls, to be made now. */
  release(): readonly HeldCall[] {
    for (const [name, descriptor] of this.#shown) {
      Reflect.deleteProperty(this.#response, name)
      if (descriptor !== undefined) Object.defineProperty(this.#response, name, descriptor)
    }
    this.#shown.clear()
    return this.#calls
  }

  /** Tells the callbacks of the calls that they will never be made. */
  abandon(error: unknown): void {
    for (const { args } of this.#calls) tellCallback(args, error)
  }

  #show(name: string, get: () => unknown): void {
    if (name in this.#response) this.#define(name, { get, configurable: true })
  }

  #replace(name: string, value: (...args: unknown[]) => unknown): void {
    if (name in this.#response) this.#define(name, { value, configurable: true, writable: true })
  }

  #define(name: string, descriptor: PropertyDescriptor): void {
    this.#shown.set(name, Object.getOwnPropertyDescriptor(this.#response, name))
    Object.defineProperty(this.#response, name, descriptor)
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

function refuse(response: NodeResponse): never {
  throw headersHaveLeft(response)
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
