import { SessionError } from '../errors.ts'
import { Listeners } from '../listening.ts'
import type { EventHandler } from '../listening.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionPage,
  SessionRecord,
  StopListening,
  StoreCapabilities,
  StoreEvent,
  Touch,
} from '../store.ts'
import type { TrackedStore, Tracking } from '../tracking.ts'
import { Books } from './redis/books.ts'
import type { SessionScript } from './redis/books.ts'
import { Calls } from './redis/calls.ts'
import { isClient } from './redis/client.ts'
import type { RedisClient } from './redis/client.ts'
import { COMMIT } from './redis/commit-script.ts'
import { Connection } from './redis/connection.ts'
import { Keys } from './redis/keys.ts'
import { Borrowed } from './redis/link.ts'
import type { Link } from './redis/link.ts'
import { Logins } from './redis/logins.ts'
import type { Applied } from './redis/logins.ts'
import { Moving } from './redis/moving.ts'
import { checked, pack } from './redis/packed.ts'
import { Records } from './redis/records.ts'
import { Registry } from './redis/registry.ts'
import {
  commitArguments,
  commitOutcome,
  createOutcome,
  destroyOutcome,
  isDue,
  maybe,
  ownerIn,
  setArguments,
  setsOnly,
  swapOutcome,
  takeOutcome,
} from './redis/replies.ts'
import { warnOfResending } from './redis/resending.ts'
import { SET_VALUES } from './redis/set-script.ts'
import { CREATE, DESTROY, SWAP, TAKE, TIME } from './redis/scripts.ts'
import { capabilitiesOf, checkOptions, checkSettings, checkSource } from './redis/settings.ts'
import type { RedisSettings, RedisStoreOptions } from './redis/settings.ts'
import { LISTEN_EVERY, Streams } from './redis/streams.ts'
import { RedisTracking } from './redis/tracking.ts'
import { Users } from './redis/users.ts'

export type { RedisClient } from './redis/client.ts'
export type { RedisSettings, RedisStoreOptions } from './redis/settings.ts'

/**
 * Sessions in Redis (6.2 or later) or Valkey, alone, in a cluster or behind sentinels.
 *
 * A session is one string under one key, which expires by itself: a read is one `GET`, every other verb
 * one script, and a commit sends only what changed. A login asks Redis twice: first the index of the user
 * is told. Redis decides what has expired. The times of a process whose clock differs from that of Redis
 * by more than a second are translated both ways.
 *
 * @example
 * new RedisStore({ url: 'redis://localhost:6379' })
 * new RedisStore(client, { prefix: 'shop:' })
 */
export class RedisStore implements TrackedStore {
  readonly capabilities: StoreCapabilities
  readonly #keys: Keys
  readonly #link: Link
  readonly #calls: Calls
  readonly #records: Records
  readonly #users: Users | undefined
  readonly #logins: Logins | undefined
  readonly #registry: Registry | undefined
  readonly #books: Books | undefined
  readonly #streams: Streams | undefined
  readonly #listeners: Listeners | undefined

  /**
   * @param source - a connected client of yours, which stays yours, or where Redis is
   * @throws SessionError `ERR_SESSION_OPTION`
   */
  constructor(source: RedisClient | RedisSettings, options: RedisStoreOptions = {}) {
    const checkedOptions = checkOptions(options)
    const { prefix, deadline, userIndex, registry, ack } = checkedOptions
    checkSource(source)
    if (isClient(source)) warnOfResending(source)
    this.capabilities = capabilitiesOf(checkedOptions)
    this.#keys = new Keys(prefix)
    this.#link = isClient(source)
      ? new Borrowed(source, deadline)
      : new Connection(checkSettings(source), deadline)
    this.#calls = new Calls(this.#link, deadline, ack)
    this.#records = new Records(this.#calls, this.#keys)
    const parts = { calls: this.#calls, keys: this.#keys, moving: new Moving() }
    if (userIndex) {
      this.#users = new Users(parts)
      this.#logins = new Logins(this.#users, deadline)
    }
    if (registry) {
      const known = new Registry(parts)
      const streams = new Streams(this.#calls, this.#keys, known)
      this.#registry = known
      this.#streams = streams
      this.#books = new Books({ ...parts, registry: known, streams })
      this.#listeners = new Listeners(streams, LISTEN_EVERY)
    }
  }

  load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return this.#records.load(id, touch)
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const { user, deadline } = record
    const text = pack(record)
    if (user !== undefined) await this.#users?.enter({ user, id, deadline })
    const args = [Date.now(), text, maybe(user)] as const
    const reply = await this.#write(
      id,
      (keys, ...session) => this.#calls.timed('create', CREATE, keys, [...args, ...session]),
      async (books, answer) => createOutcome(answer) && books.created(id, record),
    )
    if (isDue(reply)) this.#registry?.tidy(id)
    return createOutcome(reply)
  }

  commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return setsOnly(change) ? this.#setValues(id, change) : this.#commitAny(id, change)
  }

  async #setValues(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const keys = [this.#keys.record(id)] as const
    const reply = await this.#calls.write('commit', SET_VALUES, keys, setArguments(change))
    this.#calls.clock.learn(change.at, reply)
    return commitOutcome(reply, change)
  }

  async #commitAny(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const { user, deadline } = change
    if (this.#logins === undefined || (user === undefined && deadline === undefined)) {
      return (await this.#commit(id, change)).outcome as CommitOutcome
    }
    return this.#logins.commit({
      id,
      change,
      load: () => this.load(id),
      apply: (latest) => this.#commit(id, change, latest),
      evict: (other, owner) => this.#end(other, 'evicted', owner),
    })
  }

  /** A record of a newer version, too, is removed: who ends a session must be able to rely on it. */
  async destroy(id: SessionId): Promise<boolean> {
    return this.#end(id, 'destroyed')
  }

  async swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    const args = [`${generation ?? ''}`, checked(name), maybe(before), maybe(after)]
    return swapOutcome(await this.#calls.write('swap', SWAP, [this.#keys.record(id)], args))
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    const args = [`${generation ?? ''}`, checked(name)]
    return takeOutcome(await this.#calls.write('take', TAKE, [this.#keys.record(id)], args))
  }

  /** Two round trips: the index says where to look, the records say whose they are. */
  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return (this.#users ?? missing('sessionsOf', 'userIndex')).sessionsOf(user)
  }

  /** A page has about 500 sessions, or fewer; a session that comes while it is listed may be on two. */
  async list(cursor?: string): Promise<SessionPage> {
    return (this.#registry ?? missing('list', 'registry')).list(cursor)
  }

  /** Tells what happens from now on, about twice a second; what is told while Redis is away comes later. */
  async watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    return (this.#listeners ?? missing('watch', 'registry')).watch(listener)
  }

  /**
   * Events come one after the other; one whose handler threw, or whose process died, comes again after
   * a pause. A consumer keeps its process alive.
   */
  async consume(group: string, handler: EventHandler): Promise<StopListening> {
    return (this.#listeners ?? missing('consume', 'registry')).consume(group, handler)
  }

  async tell(event: StoreEvent): Promise<void> {
    await (this.#streams ?? missing('tell', 'registry')).tell(event)
  }

  /**
   * Reads for a near cache, on a connection of their own.
   *
   * @throws SessionError `ERR_SESSION_OPTION` if the store was given anything else than an address or a
   * single client of node-redis 6
   */
  track(changed: (key: string | undefined) => void): Tracking {
    this.#link.checkTrackable()
    const parts = {
      where: this.#link.where,
      deadline: this.#calls.deadline,
      client: () => this.#link.trackedClient(),
      prepare: () => this.ready(),
      keyOf: (id: SessionId) => this.#keys.record(id),
      recordOf: (key: string, reply: Buffer, touch: Touch | undefined) =>
        this.#records.recordOf(key, reply, touch),
    }
    return new RedisTracking(parts, changed)
  }

  /** @throws SessionError if Redis cannot be reached, or does not let us in */
  async ready(): Promise<void> {
    const at = Date.now()
    const keys = [this.#keys.record('' as SessionId)] as const
    this.#calls.clock.learn(at, await this.#calls.run('ready', TIME, keys, []))
  }

  /** Ends all listening. A client of yours stays open. */
  close(): Promise<void> {
    this.#listeners?.close()
    return this.#calls.close()
  }

  /** Runs a script that keeps the books too; without a registry there are none. */
  #write<T>(
    id: SessionId,
    script: SessionScript<T>,
    keep: (books: Books, reply: T) => Promise<unknown>,
  ): Promise<T> {
    return this.#books?.write(id, script, keep) ?? script([this.#keys.record(id)])
  }

  async #commit(id: SessionId, change: SessionChange, latest?: number): Promise<Applied> {
    const { user, deadline, rotate } = change
    const args = commitArguments(change, latest)
    const commit: SessionScript<Applied> = async (keys, ...session) => {
      const reply = await this.#calls.write('commit', COMMIT, keys, [...args, ...session])
      return this.#applied(change, reply)
    }
    if (user === undefined && deadline === undefined && rotate === undefined)
      return commit([this.#keys.record(id)])
    return this.#write(id, commit, (books, applied) => books.committed(id, change, applied))
  }

  #applied(change: SessionChange, reply: string): Applied {
    this.#calls.clock.learn(change.at, reply)
    if (reply === 'late') return { outcome: reply }
    const [outcome, owner] = ownerIn(reply)
    return { outcome: commitOutcome(outcome, change), ...(owner !== undefined && { owner }) }
  }

  async #end(id: SessionId, type: 'destroyed' | 'evicted', user?: string): Promise<boolean> {
    const reply = await this.#write(
      id,
      (keys, ...session) =>
        this.#calls.write('destroy', DESTROY, keys, [type, maybe(user), ...session]),
      async (books, answer) => {
        const [ended, owner] = destroyOutcome(answer)
        if (ended) await books.ended(id, type, owner)
      },
    )
    const [ended, owner] = destroyOutcome(reply)
    if (owner !== undefined) this.#users?.leave(owner, [id])
    return ended
  }
}

function missing(verb: string, option: string): never {
  throw new SessionError(
    'ERR_SESSION_UNSUPPORTED',
    `RedisStore cannot do ${verb} with { ${option}: false }. Leave that option out.`,
  )
}
