import { parseDuration } from '../duration.ts'
import type { Duration } from '../duration.ts'
import { SessionError } from '../errors.ts'
import { refuseUnknownNames } from '../names.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  SessionStore,
  StoreCapabilities,
  Touch,
} from '../store.ts'
import type { TrackedStore, Tracking } from '../tracking.ts'
import { Kept, copyOf } from './cached/kept.ts'
import { Recent } from './cached/recent.ts'

/** The options of a {@link CachedStore}. */
export interface CachedStoreOptions {
  /** Set this when the sessions that are kept may take more memory, or less: about so many bytes. @default 67108864 */
  readonly maxBytes?: number
  /**
   * True: a session that is kept is used only when the engine has confirmed that nobody has changed it. A
   * logout that was acknowledged anywhere holds everywhere, and so does every other write. All requests of
   * a moment share one tiny round trip.
   *
   * False: it is used without asking, until the engine has told of a change. What another process
   * wrote, a logout too, is seen here when that word has arrived.
   * @default true
   */
  readonly strict?: boolean
  /**
   * Set this when, with `strict: false`, what another process wrote must be seen sooner than this, or
   * later, although the connection has fallen silent. @default '1s'
   */
  readonly maxStale?: Duration
}

/** What a {@link CachedStore} holds, and how often it helped. */
export interface CacheUsage {
  readonly sessions: number
  /** About how much memory they take. */
  readonly bytes: number
  /** Loads that were answered from memory. */
  readonly hits: number
  /** Loads that read from the engine. */
  readonly misses: number
}

/**
 * Keeps the sessions that this process uses in its memory, and drops each as soon as anybody has changed
 * it: the engine tells. Writes, and everything else, go to the store it wraps.
 *
 * @example
 * new CachedStore(new RedisStore({ url: 'redis://localhost:6379' }))
 */
export class CachedStore implements SessionStore {
  readonly capabilities: StoreCapabilities
  readonly sessionsOf?: NonNullable<SessionStore['sessionsOf']>
  readonly list?: NonNullable<SessionStore['list']>
  readonly deleteExpired?: NonNullable<SessionStore['deleteExpired']>
  readonly watch?: NonNullable<SessionStore['watch']>
  readonly consume?: NonNullable<SessionStore['consume']>
  readonly tell?: NonNullable<SessionStore['tell']>
  readonly #inner: SessionStore
  readonly #tracking: Tracking
  readonly #strict: boolean
  readonly #maxStale: number
  readonly #kept: Recent<Kept>
  // Reads that are under way, by key: the last of each. One that is not here any more is not kept.
  readonly #reading = new Map<string, symbol>()
  #hits = 0
  #misses = 0

  /**
   * @param inner - the store in which the sessions are: a `RedisStore` that connects by itself, or that
   * was given a client of node-redis 6
   * @throws SessionError `ERR_SESSION_OPTION`
   */
  constructor(inner: TrackedStore, options: CachedStoreOptions = {}) {
    const { maxBytes, strict, maxStale } = checked(options)
    this.#inner = inner
    this.#strict = strict
    this.#maxStale = maxStale
    this.#kept = new Recent(maxBytes)
    this.#tracking = checkedInner(inner).track((key) => this.#changed(key))
    const { engine } = inner.capabilities
    this.capabilities = { ...inner.capabilities, engine: `cached ${engine}` }
    Object.assign(this, passedOn(inner))
  }

  load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const now = performance.now()
    const key = this.#tracking.keyOf(id)
    const kept = this.#kept.get(key)
    if (kept?.serves(now, touch) !== true) return this.#read(id, key, touch)
    const silence = now - this.#tracking.confirmedAt
    if (this.#strict || silence >= this.#maxStale) return this.#confirmed(id, key, kept, touch)
    if (silence >= this.#maxStale / 2) this.#tracking.confirm().catch(ignore)
    this.#hits++
    return Promise.resolve(kept.record)
  }

  create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#writing([id], this.#inner.create(id, record))
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await this.#writing([id], this.#inner.commit(id, change))
    if (typeof outcome === 'object') this.#forget(outcome.evicted ?? [])
    return outcome
  }

  destroy(id: SessionId): Promise<boolean> {
    return this.#writing([id], this.#inner.destroy(id))
  }

  swap(...call: Parameters<SessionStore['swap']>): Promise<boolean | 'gone' | 'stale'> {
    return this.#writing([call[0]], this.#inner.swap(...call))
  }

  take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return this.#writing([id], this.#inner.take(id, name, generation))
  }

  /** @throws SessionError if the engine cannot be reached, or cannot tell of changes */
  async ready(): Promise<void> {
    await this.#inner.ready?.()
    await this.#tracking.ready()
  }

  async close(): Promise<void> {
    await this.#tracking.close()
    await this.#inner.close?.()
  }

  /** What is held now, and how often it helped so far. */
  get usage(): CacheUsage {
    const { size: sessions, bytes } = this.#kept
    return { sessions, bytes, hits: this.#hits, misses: this.#misses }
  }

  async #confirmed(
    id: SessionId,
    key: string,
    kept: Kept,
    touch: Touch | undefined,
  ): Promise<SessionRecord | undefined> {
    await this.#tracking.confirm()
    const good = this.#kept.holds(key, kept) && kept.serves(performance.now(), touch)
    if (!good) return this.#read(id, key, touch)
    this.#hits++
    return kept.record
  }

  async #read(
    id: SessionId,
    key: string,
    touch: Touch | undefined,
  ): Promise<SessionRecord | undefined> {
    this.#misses++
    const ticket = Symbol('read')
    this.#reading.set(key, ticket)
    const at = performance.now()
    try {
      const read = await this.#tracking.read(id, touch)
      if (read === undefined) return await this.#inner.load(id, touch)
      if (read.record === undefined) return undefined
      if (this.#reading.get(key) === ticket) this.#kept.set(key, new Kept(read.record, read, at))
      return copyOf(read.record)
    } finally {
      if (this.#reading.get(key) === ticket) this.#reading.delete(key)
    }
  }

  /** What is written here is seen here at once, also by reads that are under way. */
  async #writing<T>(ids: readonly SessionId[], write: Promise<T>): Promise<T> {
    try {
      return await write
    } finally {
      this.#forget(ids)
    }
  }

  #forget(ids: readonly SessionId[]): void {
    for (const id of ids) this.#changed(this.#tracking.keyOf(id))
  }

  #changed(key: string | undefined): void {
    if (key === undefined) {
      this.#kept.clear()
      this.#reading.clear()
    } else {
      this.#kept.delete(key)
      this.#reading.delete(key)
    }
  }
}

interface CheckedOptions {
  readonly maxBytes: number
  readonly strict: boolean
  readonly maxStale: number
}

function checked(options: CachedStoreOptions): CheckedOptions {
  refuseUnknownNames(options, ['maxBytes', 'strict', 'maxStale'], 'CachedStore')
  const { maxBytes = 64 * 1024 * 1024, strict = true, maxStale = '1s' } = options
  if (!Number.isSafeInteger(maxBytes) || maxBytes <= 0)
    throw refused('maxBytes must be a number of bytes above zero')
  if (typeof strict !== 'boolean') throw refused('strict must be true or false')
  return { maxBytes, strict, maxStale: parseDuration(maxStale, 'maxStale') }
}

function checkedInner(inner: TrackedStore): TrackedStore {
  if (typeof inner?.track === 'function') return inner
  throw refused(
    'it takes a RedisStore, whose engine can tell of changes. To encrypt too, wrap this one: new EncryptedStore(new CachedStore(redis), …)',
  )
}

function refused(what: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', `CachedStore: ${what}.`)
}

type PassedOn = Pick<
  SessionStore,
  'sessionsOf' | 'list' | 'deleteExpired' | 'watch' | 'consume' | 'tell'
>

/** The verbs that load and change no session, as far as the inner store has them. */
function passedOn(inner: SessionStore): PassedOn {
  return {
    ...(inner.sessionsOf && { sessionsOf: inner.sessionsOf.bind(inner) }),
    ...(inner.list && { list: inner.list.bind(inner) }),
    ...(inner.deleteExpired && { deleteExpired: inner.deleteExpired.bind(inner) }),
    ...(inner.watch && { watch: inner.watch.bind(inner) }),
    ...(inner.consume && { consume: inner.consume.bind(inner) }),
    ...(inner.tell && { tell: inner.tell.bind(inner) }),
  }
}

// A connection that does not answer is noticed by the next load that has to wait for it.
function ignore(): void {}
