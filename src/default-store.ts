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

/**
 * The store of a manager that was given none: the embedded one, loaded when it is first used, so
 * that a program with a store of its own never loads it.
 */
export class DefaultStore implements SessionStore {
  readonly capabilities: StoreCapabilities = {
    engine: 'embedded',
    shared: 'machine',
    durable: 'engine',
    expiry: 'sweep',
    commit: 'atomic',
    clock: 'process',
    deadline: false,
    userIndex: true,
    list: true,
    userCap: true,
    events: 'none',
    expect: true,
  }
  #opening: Promise<SessionStore> | undefined
  #opened: SessionStore | undefined

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return (await this.#store()).load(id, touch)
  }

  loadNow(id: SessionId, touch?: Touch): SessionRecord | 'none' | undefined {
    return this.#opened?.loadNow?.(id, touch)
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return (await this.#store()).create(id, record)
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return (await this.#store()).commit(id, change)
  }

  async destroy(id: SessionId): Promise<boolean> {
    return (await this.#store()).destroy(id)
  }

  async swap(...call: Parameters<SessionStore['swap']>): Promise<boolean | 'gone' | 'stale'> {
    return (await this.#store()).swap(...call)
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return (await this.#store()).take(id, name, generation)
  }

  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return (await (await this.#store()).sessionsOf?.(user)) ?? []
  }

  async list(cursor?: string): Promise<SessionPage> {
    return (await (await this.#store()).list?.(cursor)) ?? { ids: [] }
  }

  async deleteExpired(limit: number): Promise<number> {
    return (await (await this.#store()).deleteExpired?.(limit)) ?? 0
  }

  async watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    return (await (await this.#store()).watch?.(listener)) ?? (() => Promise.resolve())
  }

  async ready(): Promise<void> {
    await (await this.#store()).ready?.()
  }

  async close(): Promise<void> {
    if (this.#opening !== undefined) await (await this.#opening).close?.()
  }

  #store(): Promise<SessionStore> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<SessionStore> {
    const { EmbeddedStore } = await import('./stores/embedded.ts')
    this.#opened = new EmbeddedStore()
    return this.#opened
  }
}
