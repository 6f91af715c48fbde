import { channel } from 'node:diagnostics_channel'
import { Deadlines } from '../../deadline.ts'
import { SessionError, isSessionError } from '../../errors.ts'
import { failure, isNoScript } from './failures.ts'
import type { Link } from './link.ts'
import type { Script } from './script.ts'
import { ServerClock } from './server-clock.ts'

// The channel on which the manager publishes its events.
const EVENTS = channel('sojourn:session')

/** What is asked of Redis: each call ends by the deadline, and fails as a `SessionError`. */
export class Calls {
  readonly clock: ServerClock = new ServerClock()
  /** ms that a call may take. */
  readonly deadline: number
  readonly #link: Link
  readonly #ack: 'primary' | 'replica'
  readonly #deadlines: Deadlines
  readonly #background = new Set<Promise<void>>()
  #prepared = false
  #closed = false

  /** @param ack - who must have a write before it is answered */
  constructor(link: Link, deadline: number, ack: 'primary' | 'replica') {
    this.deadline = deadline
    this.#ack = ack
    this.#link = link
    this.#deadlines = new Deadlines(deadline, link.where)
  }

  /** What is stored under a key: bytes if the client can answer them, text, or null. */
  read(verb: string, key: string): Promise<unknown> {
    return this.#call(verb, () => this.#link.read(key))
  }

  /** A command about a key, and what the client answers. */
  send(verb: string, key: string, command: string[]): Promise<unknown> {
    return this.#call(verb, () => this.#link.send(key, command))
  }

  /** Runs a script; all keys have the slot of the first. */
  async run(
    verb: string,
    script: Script,
    keys: readonly [string, ...string[]],
    args: readonly string[],
  ): Promise<string> {
    return textOf(await this.#call(verb, () => this.#evaluate(script, keys, args)))
  }

  /** Runs a script that writes: if it has, and replicas count, it is answered when one has it too. */
  async write(
    verb: string,
    script: Script,
    keys: readonly [string, ...string[]],
    args: readonly string[],
  ): Promise<string> {
    const reply = await this.run(verb, script, keys, args)
    if (this.#ack === 'replica' && HAS_WRITTEN.test(reply)) await this.#replicated(verb, keys[0])
    return reply
  }

  /** Runs a script that writes and answers the time of Redis first, and learns from it. */
  async timed(
    verb: string,
    script: Script,
    keys: readonly [string, ...string[]],
    [at, ...args]: readonly [at: number, ...string[]],
  ): Promise<string> {
    const reply = await this.write(verb, script, keys, [`${at}`, ...args])
    this.clock.learn(at, reply)
    return reply
  }

  /** Work that nobody waits for, but `close`. If it fails, only an event says so. */
  later(verb: string, work: () => Promise<unknown>): void {
    const working = work()
      .then(ignore, (error: unknown) => tellOfFailure(verb, error))
      .finally(() => this.#background.delete(working))
    this.#background.add(working)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#background)
    await this.#link.close()
  }

  async #call(verb: string, send: () => Promise<unknown>): Promise<unknown> {
    if (this.#closed) throw closed(verb)
    try {
      if (!this.#prepared) await this.#prepare()
      const answer = await this.#deadlines.limit(verb, send())
      this.#link.answered()
      return answer
    } catch (cause) {
      throw this.#failed(verb, cause)
    }
  }

  async #prepare(): Promise<void> {
    await this.#link.prepared
    this.#prepared = true
  }

  #evaluate(
    { sha, text }: Script,
    keys: readonly [string, ...string[]],
    args: readonly string[],
  ): Promise<unknown> {
    const rest = [`${keys.length}`, ...keys, ...args]
    return this.#link.send(keys[0], ['EVALSHA', sha, ...rest]).catch((error: unknown) => {
      if (!isNoScript(error)) throw error
      return this.#link.send(keys[0], ['EVAL', text, ...rest])
    })
  }

  async #replicated(verb: string, key: string): Promise<void> {
    const ms = Math.ceil(this.deadline / 2)
    const replicas = await this.#call(verb, () => this.#link.replicas(key, ms))
    if (!(Number(replicas) >= 1)) throw unacknowledged(this.#link.where, verb, ms)
  }

  #failed(verb: string, cause: unknown): SessionError {
    const error = failure(this.#link.where, verb, cause)
    if (error.code === 'ERR_SESSION_TIMEOUT') this.#link.unanswered()
    return error
  }
}

/** The text of an answer: a client may be set up to answer bytes everywhere. */
export function textOf(reply: unknown): string {
  return typeof reply === 'string' ? reply : String(reply)
}

// The answers of scripts that have written something: `1`, a text that was taken, or the time of Redis.
const HAS_WRITTEN = /^(?:1$|=|\d{13}(?!,0))/

function unacknowledged(where: string, verb: string, ms: number): SessionError {
  return new SessionError(
    'ERR_SESSION_TIMEOUT',
    `${where} has done ${verb}, but no replica acknowledged it within ${ms} ms: a failover could undo it. See whether a replica is connected and keeps up.`,
  )
}

function closed(verb: string): SessionError {
  return new SessionError('ERR_SESSION_CLOSED', `${verb} came after close(). Make a new store.`)
}

function ignore(): void {
  // It was done.
}

function tellOfFailure(verb: string, error: unknown): void {
  const code = isSessionError(error) ? error.code : 'ERR_SESSION_STORE'
  if (code === 'ERR_SESSION_CLOSED') return
  EVENTS.publish({ type: 'store-failed', verb, code, at: Date.now() })
}
