import { Breaker } from './breaker.ts'
import { Deadlines } from './deadline.ts'
import { SessionError, isSessionError } from './errors.ts'
import type { SessionErrorCode } from './errors.ts'
import type { SessionEvents } from './events.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionPage,
  SessionRecord,
  SessionStore,
  StopListening,
  StoreCapabilities,
  StoreEvent,
  Touch,
} from './store.ts'

const OUTAGES: ReadonlySet<SessionErrorCode> = new Set(['ERR_SESSION_STORE', 'ERR_SESSION_TIMEOUT'])

/**
 * The store as the manager uses it: every call ends within a deadline, every failure is a
 * `SessionError` and is told as an event, a store that is down is not asked again and again, and a
 * capability that is missing has a clear error.
 */
export class GuardedStore implements SessionStore {
  readonly #inner: SessionStore
  readonly #events: SessionEvents
  readonly #deadlines: Deadlines | undefined
  readonly #breaker = new Breaker()
  #closing: Promise<void> | undefined

  constructor(inner: SessionStore, events: SessionEvents, deadline: number) {
    this.#inner = inner
    this.#events = events
    const bounded = inner.capabilities.deadline
    this.#deadlines = bounded ? undefined : new Deadlines(deadline, `The ${this.#engine} store`)
  }

  get capabilities(): StoreCapabilities {
    return this.#inner.capabilities
  }

  load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return this.#call('load', () => this.#inner.load(id, touch))
  }

  /** After a failure nothing is answered here: `load` knows whether the store is to be asked. */
  loadNow(id: SessionId, touch?: Touch): SessionRecord | 'none' | undefined {
    if (this.#closing !== undefined || !this.#breaker.isUntroubled) return undefined
    return this.#inner.loadNow?.(id, touch)
  }

  create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#call('create', () => this.#inner.create(id, record))
  }

  commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return this.#call('commit', () => this.#inner.commit(id, change))
  }

  destroy(id: SessionId): Promise<boolean> {
    return this.#call('destroy', () => this.#inner.destroy(id))
  }

  swap(...call: Parameters<SessionStore['swap']>): Promise<boolean | 'gone' | 'stale'> {
    return this.#call('swap', () => this.#inner.swap(...call))
  }

  take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return this.#call('take', () => this.#inner.take(id, name, generation))
  }

  sessionsOf(user: string): Promise<readonly SessionId[]> {
    return this.#call(
      'sessionsOf',
      () => this.#inner.sessionsOf?.(user) ?? this.#missing('sessionsOf'),
    )
  }

  list(cursor?: string): Promise<SessionPage> {
    return this.#call('list', () => this.#inner.list?.(cursor) ?? this.#missing('list'))
  }

  async deleteExpired(limit: number): Promise<number> {
    return this.#call('deleteExpired', async () => (await this.#inner.deleteExpired?.(limit)) ?? 0)
  }

  async watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    return (await this.#inner.watch?.(listener)) ?? this.#missing('watch')
  }

  async consume(
    group: string,
    handler: (event: StoreEvent) => void | Promise<void>,
  ): Promise<StopListening> {
    return (await this.#inner.consume?.(group, handler)) ?? this.#missing('consume')
  }

  async tell(event: StoreEvent): Promise<void> {
    await this.#call('tell', async () => this.#inner.tell?.(event))
  }

  async ready(): Promise<void> {
    try {
      await this.#inner.ready?.()
    } catch (cause) {
      throw this.#failure('ready', cause)
    }
  }

  close(): Promise<void> {
    this.#closing ??= (async () => this.#inner.close?.())()
    return this.#closing
  }

  get #engine(): string {
    return this.#inner.capabilities.engine
  }

  async #call<T>(verb: string, run: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw this.#closed(verb)
    if (!this.#admits()) throw this.#failure(verb, this.#refused(verb))
    try {
      const answer = await (this.#deadlines?.limit(verb, run()) ?? run())
      this.#breaker.succeeded()
      return answer
    } catch (cause) {
      const error = this.#failure(verb, cause)
      if (OUTAGES.has(error.code)) this.#breaker.failed(performance.now())
      else this.#breaker.succeeded()
      throw error
    }
  }

  #admits(): boolean {
    return this.#breaker.isClosed || this.#breaker.admits(performance.now())
  }

  #failure(verb: string, cause: unknown): SessionError {
    const error = isSessionError(cause) ? cause : this.#wrap(verb, cause)
    if (error.status === 503) this.#events.tell({ type: 'store-failed', verb, code: error.code })
    return error
  }

  #refused(verb: string): SessionError {
    return new SessionError(
      'ERR_SESSION_STORE',
      `The ${this.#engine} store has failed several times in a row: ${verb} was not tried. It is tried again within a second.`,
    )
  }

  #wrap(verb: string, cause: unknown): SessionError {
    const message = `The ${this.#engine} store failed at ${verb}. Its own error is the cause of this one.`
    return new SessionError('ERR_SESSION_STORE', message, { cause })
  }

  #closed(verb: string): SessionError {
    return new SessionError(
      'ERR_SESSION_CLOSED',
      `${verb} came after close(). Close the manager when no request is left.`,
    )
  }

  #missing(verb: string): never {
    throw new SessionError(
      'ERR_SESSION_UNSUPPORTED',
      `The ${this.#engine} store cannot do ${verb}. Use a store whose capabilities include it.`,
    )
  }
}
