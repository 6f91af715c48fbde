import { channel } from 'node:diagnostics_channel'
import { touched } from '../change.ts'
import { Deadlines } from '../deadline.ts'
import { SessionError, isSessionError } from '../errors.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  StoreCapabilities,
  Touch,
} from '../store.ts'
import type { TrackedStore, Tracking } from '../tracking.ts'
import { isClient } from './redis/client.ts'
import type { RedisClient } from './redis/client.ts'
import { COMMIT } from './redis/commit-script.ts'
import { Connection } from './redis/connection.ts'
import { failure, isNoScript } from './redis/failures.ts'
import { Borrowed } from './redis/link.ts'
import type { Link } from './redis/link.ts'
import { checked, digits, pack, unpack } from './redis/packed.ts'
import {
  commitArguments,
  commitOutcome,
  createOutcome,
  maybe,
  swapOutcome,
  takeOutcome,
} from './redis/replies.ts'
import { CREATE, SWAP, TAKE, TIME, TOUCH } from './redis/scripts.ts'
import type { Script } from './redis/scripts.ts'
import { ServerClock } from './redis/server-clock.ts'
import { checkOptions, checkSettings, checkSource } from './redis/settings.ts'
import type { RedisSettings, RedisStoreOptions } from './redis/settings.ts'
import { RedisTracking } from './redis/tracking.ts'
import type { TrackingParts } from './redis/tracking.ts'

export type { RedisClient } from './redis/client.ts'
export type { RedisSettings, RedisStoreOptions } from './redis/settings.ts'

const CAPABILITIES: StoreCapabilities = Object.freeze({
  engine: 'redis',
  shared: 'network',
  durable: 'engine',
  expiry: 'engine',
  commit: 'atomic',
  clock: 'engine',
  deadline: true,
  userIndex: false,
  list: false,
  expect: true,
})

// The channel on which the manager publishes its events.
const EVENTS = channel('sojourn:session')

/**
 * Sessions in Redis (6.2 or later) or Valkey, alone, in a cluster or behind sentinels.
 *
 * A session is one string under one key, which expires by itself: a read is one `GET`, every other verb
 * one script, and a commit sends only what changed. Redis decides what has expired. The times of a
 * process whose clock differs from that of Redis by more than a second are translated both ways.
 *
 * @example
 * new RedisStore({ url: 'redis://localhost:6379' })
 * new RedisStore(client, { prefix: 'shop:' })
 */
export class RedisStore implements TrackedStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES
  readonly #prefix: string
  readonly #deadline: number
  readonly #link: Link
  readonly #deadlines: Deadlines
  readonly #clock = new ServerClock()
  readonly #touches = new Set<Promise<void>>()
  #prepared = false
  #closed = false

  /**
   * @param source - a connected client of yours, which stays yours, or where Redis is
   * @throws SessionError `ERR_SESSION_OPTION`
   */
  constructor(source: RedisClient | RedisSettings, options: RedisStoreOptions = {}) {
    const { prefix, deadline } = checkOptions(options)
    checkSource(source)
    this.#prefix = prefix
    this.#deadline = deadline
    this.#link = isClient(source)
      ? new Borrowed(source, deadline)
      : new Connection(checkSettings(source), deadline)
    this.#deadlines = new Deadlines(deadline, this.#link.where)
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const key = this.#prefix + id
    const reply = await this.#call('load', () => this.#link.read(key))
    if (reply === null) return undefined
    return this.#recordOf(key, Buffer.isBuffer(reply) ? reply : textOf(reply), touch)
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const at = Date.now()
    const reply = await this.#run('create', CREATE, this.#prefix + id, [`${at}`, pack(record)])
    this.#clock.learn(at, reply)
    return createOutcome(reply)
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const reply = await this.#run('commit', COMMIT, this.#prefix + id, commitArguments(change))
    this.#clock.learn(change.at, reply)
    return commitOutcome(reply, change)
  }

  /** A record of a newer version, too, is removed: who ends a session must be able to rely on it. */
  async destroy(id: SessionId): Promise<boolean> {
    const key = this.#prefix + id
    return Number(await this.#call('destroy', () => this.#link.send(key, ['DEL', key]))) > 0
  }

  async swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    const args = [`${generation ?? ''}`, checked(name), maybe(before), maybe(after)]
    return swapOutcome(await this.#run('swap', SWAP, this.#prefix + id, args))
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    const args = [`${generation ?? ''}`, checked(name)]
    return takeOutcome(await this.#run('take', TAKE, this.#prefix + id, args))
  }

  /**
   * Reads for a near cache, on a connection of their own.
   *
   * @throws SessionError `ERR_SESSION_OPTION` if the store was given anything else than an address or a
   * single client of node-redis 6
   */
  track(changed: (key: string | undefined) => void): Tracking {
    this.#link.checkTrackable()
    const parts: TrackingParts = {
      where: this.#link.where,
      deadline: this.#deadline,
      client: () => this.#link.trackedClient(),
      prepare: () => this.ready(),
      keyOf: (id) => this.#prefix + id,
      recordOf: (key, reply, touch) => this.#recordOf(key, reply, touch),
    }
    return new RedisTracking(parts, changed)
  }

  /** @throws SessionError if Redis cannot be reached, or does not let us in */
  async ready(): Promise<void> {
    const at = Date.now()
    this.#clock.learn(at, await this.#run('ready', TIME, this.#prefix, []))
  }

  /** A client of yours stays open. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#touches)
    await this.#link.close()
  }

  #recordOf(key: string, reply: string | Buffer, touch: Touch | undefined): SessionRecord {
    const record = unpack(reply, this.#clock.ahead)
    return touch === undefined ? record : this.#touched(key, record, touch)
  }

  // The touch is not waited for. Until an answer has told the time of Redis, it is left to Redis whether
  // a touch is due.
  #touched(key: string, record: SessionRecord, touch: Touch): SessionRecord {
    const after = touched(record, touch)
    if (after !== undefined || !this.#clock.known) this.#touch(key, touch)
    return after ?? record
  }

  #touch(key: string, { at, generation, expiresAt, whenBefore }: Touch): void {
    const args = [digits(at), `${generation}`, digits(expiresAt), digits(whenBefore)]
    const touching = this.#run('touch', TOUCH, key, args)
      .then((reply) => this.#clock.learn(at, reply), tellOfFailedTouch)
      .finally(() => this.#touches.delete(touching))
    this.#touches.add(touching)
  }

  async #run(verb: string, script: Script, key: string, args: string[]): Promise<string> {
    return textOf(await this.#call(verb, () => this.#evaluate(script, key, args)))
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

  #evaluate({ sha, text }: Script, key: string, args: string[]): Promise<unknown> {
    return this.#link.send(key, ['EVALSHA', sha, '1', key, ...args]).catch((error: unknown) => {
      if (!isNoScript(error)) throw error
      return this.#link.send(key, ['EVAL', text, '1', key, ...args])
    })
  }

  #failed(verb: string, cause: unknown): SessionError {
    const error = failure(this.#link.where, verb, cause)
    if (error.code === 'ERR_SESSION_TIMEOUT') this.#link.unanswered()
    return error
  }
}

// A client may be set up to answer bytes everywhere.
function textOf(reply: unknown): string {
  return typeof reply === 'string' ? reply : String(reply)
}

function closed(verb: string): SessionError {
  return new SessionError('ERR_SESSION_CLOSED', `${verb} came after close(). Make a new store.`)
}

// A visitor loses at most this one extension of the idle time: the next request asks for it again.
function tellOfFailedTouch(error: unknown): void {
  const code = isSessionError(error) ? error.code : 'ERR_SESSION_STORE'
  EVENTS.publish({ type: 'store-failed', verb: 'touch', code, at: Date.now() })
}
