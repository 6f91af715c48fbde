import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  SessionStore,
  StoreCapabilities,
  Touch,
} from '../../src/store.ts'

/** A store that passes every call on and remembers which verbs were called. */
export class CountingStore implements SessionStore {
  readonly calls: string[] = []
  readonly #inner: SessionStore

  constructor(inner: SessionStore) {
    this.#inner = inner
  }

  get capabilities(): StoreCapabilities {
    return this.#inner.capabilities
  }

  /** The verbs since the last time, in order. */
  since(): string[] {
    return this.calls.splice(0)
  }

  load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    this.calls.push('load')
    return this.#inner.load(id, touch)
  }

  create(id: SessionId, record: SessionRecord): Promise<boolean> {
    this.calls.push('create')
    return this.#inner.create(id, record)
  }

  commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    this.calls.push('commit')
    return this.#inner.commit(id, change)
  }

  destroy(id: SessionId): Promise<boolean> {
    this.calls.push('destroy')
    return this.#inner.destroy(id)
  }

  swap(...call: Parameters<SessionStore['swap']>): Promise<boolean | 'gone' | 'stale'> {
    this.calls.push('swap')
    return this.#inner.swap(...call)
  }

  take(...call: Parameters<SessionStore['take']>): Promise<string | undefined> {
    this.calls.push('take')
    return this.#inner.take(...call)
  }
}
