import { channel } from 'node:diagnostics_channel'
import { Deadlines } from '../../deadline.ts'
import type { SessionError } from '../../errors.ts'
import type { SessionId, SessionRecord, Touch } from '../../store.ts'
import type { TrackedRead, Tracking } from '../../tracking.ts'
import { failure } from './failures.ts'
import { checkTracked } from './tracked-client.ts'
import type { TrackedClient } from './tracked-client.ts'

/** What tracking needs of its store. */
export interface TrackingParts {
  /** For messages: where Redis is. */
  readonly where: string
  /** ms that an answer may take. */
  readonly deadline: number
  /** A client that is told of changes, not connected yet. */
  readonly client: () => Promise<TrackedClient>
  /** Is called before the first read of a connection. */
  readonly prepare: () => Promise<void>
  readonly keyOf: (id: SessionId) => string
  /** The record of what is stored under a key, touched if that is due. */
  readonly recordOf: (key: string, reply: Buffer, touch: Touch | undefined) => SessionRecord
}

// The type of a string in RESP, `$`, is answered as bytes.
const BYTES = { timeout: 0, typeMapping: { 36: Buffer } } as const
// After a failure reads are not followed for that many ms before it is tried again.
const REST = 500

// The channel on which the manager publishes its events.
const EVENTS = channel('sojourn:session')

/**
 * Reads on a connection of their own, on which Redis tells of every change to what was read there
 * (`CLIENT TRACKING`). Answers and changes come in the order in which they happened: whatever is answered
 * proves that all earlier changes were told. When the connection is lost, nothing is followed any more,
 * which is told at once; the next read begins a new one, and does not wait for it.
 */
export class RedisTracking implements Tracking {
  readonly #parts: TrackingParts
  readonly #changed: (key: string | undefined) => void
  readonly #deadlines: Deadlines
  #client: TrackedClient | undefined
  #opening: Promise<void> | undefined
  #restUntil = 0
  #confirmedAt = Number.NEGATIVE_INFINITY
  #confirming: Promise<void> | undefined
  #closed = false

  constructor(parts: TrackingParts, changed: (key: string | undefined) => void) {
    this.#parts = parts
    this.#changed = changed
    this.#deadlines = new Deadlines(parts.deadline, parts.where)
  }

  get confirmedAt(): number {
    return this.#confirmedAt
  }

  keyOf(id: SessionId): string {
    return this.#parts.keyOf(id)
  }

  async read(id: SessionId, touch?: Touch): Promise<TrackedRead | undefined> {
    const client = this.#client
    if (client === undefined) return this.#reopen()
    const key = this.#parts.keyOf(id)
    const replies = await this.#ask(client, 'load', () =>
      Promise.all([client.sendCommand(['GET', key], BYTES), client.sendCommand(['PTTL', key])]),
    )
    if (replies === undefined) return undefined
    const [reply, left] = replies
    if (!Buffer.isBuffer(reply)) return { record: undefined, left: 0, bytes: 0 }
    const record = this.#parts.recordOf(key, reply, touch)
    return { record, left: Number(left), bytes: key.length + reply.length }
  }

  // Whoever asks before the question leaves shares it; it leaves when the work of this moment is done.
  confirm(): Promise<void> {
    this.#confirming ??= new Promise<void>((resolve) => {
      setImmediate(() => {
        this.#confirming = undefined
        resolve(this.#ping())
      })
    })
    return this.#confirming
  }

  async ready(): Promise<void> {
    if (this.#client !== undefined) return
    try {
      await this.#opened()
    } catch (cause) {
      throw failure(this.#parts.where, 'track', cause)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(ignore)
    this.#lose(this.#client)
  }

  async #ping(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    await this.#ask(client, 'load', () => client.sendCommand(['PING']))
  }

  /** Undefined if the connection was lost meanwhile. @throws SessionError `ERR_SESSION_TIMEOUT` */
  async #ask<T>(
    client: TrackedClient,
    verb: string,
    send: () => Promise<T>,
  ): Promise<T | undefined> {
    const at = performance.now()
    try {
      const reply = await this.#deadlines.limit(verb, send())
      this.#confirmedAt = Math.max(this.#confirmedAt, at)
      return reply
    } catch (cause) {
      this.#lose(client)
      const error = failure(this.#parts.where, verb, cause)
      if (error.code === 'ERR_SESSION_TIMEOUT') throw error
      return undefined
    }
  }

  #reopen(): undefined {
    if (this.#closed || performance.now() < this.#restUntil) return
    this.#opened().catch((cause: unknown) => {
      tellOfFailure(failure(this.#parts.where, 'track', cause))
    })
  }

  #opened(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(): Promise<void> {
    const client = await this.#parts.client()
    // An 'error' without a listener would end the process.
    client.on('error', () => this.#lose(client))
    client.on('invalidate', (key) => this.#told(client, key))
    try {
      await this.#deadlines.limit('track', client.connect())
      await this.#deadlines.limit('track', checkTracked(client))
      await this.#parts.prepare()
    } catch (error) {
      this.#restUntil = performance.now() + REST
      client.destroy()
      throw error
    }
    if (this.#closed) client.destroy()
    else this.#client = client
  }

  #told(client: TrackedClient, key: string | Buffer | null): void {
    if (client !== this.#client) return
    this.#changed(key === null ? undefined : key.toString())
  }

  #lose(client: TrackedClient | undefined): void {
    if (client === undefined || client !== this.#client) return
    this.#client = undefined
    this.#confirmedAt = Number.NEGATIVE_INFINITY
    this.#changed(undefined)
    client.destroy()
  }
}

function tellOfFailure({ code }: SessionError): void {
  EVENTS.publish({ type: 'store-failed', verb: 'track', code, at: Date.now() })
}

function ignore(): void {}
