import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionPage,
  SessionRecord,
  StoreCapabilities,
  Touch,
} from '../../../src/store.ts'
import { SimpleStore } from '../simple-store.ts'

/** A correct store with an index of users and a list, for the stores that break them. */
export class IndexedStore extends SimpleStore {
  override readonly capabilities: StoreCapabilities = {
    ...{ engine: 'indexed', shared: 'process', durable: 'no', expiry: 'sweep', commit: 'atomic' },
    ...{ clock: 'process', deadline: true, userIndex: true, list: true },
  }

  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return [...this.records.keys()].filter((id) => this.live(id)?.user === user)
  }

  async list(): Promise<SessionPage> {
    return { ids: [...this.records.keys()].filter((id) => this.live(id) !== undefined) }
  }
}

export class ListsTheDead extends IndexedStore {
  override async list(): Promise<SessionPage> {
    return { ids: [...this.records.keys()] }
  }
}

export class ListsOnePage extends IndexedStore {
  override async list(): Promise<SessionPage> {
    return { ids: (await super.list()).ids.slice(0, 100) }
  }
}

export class IndexKeepsTheDead extends IndexedStore {
  override async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return [...this.records].flatMap(([id, record]) => (record.user === user ? [id] : []))
  }
}

/** Written at login, never removed at logout. */
export class IndexNeverForgets extends IndexedStore {
  readonly #users = new Map<string, Set<SessionId>>()

  override async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    this.#add(record.user, id)
    return super.create(id, record)
  }

  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    this.#add(change.user, id)
    return super.commit(id, change)
  }

  override async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return [...(this.#users.get(user) ?? [])].filter((id) => this.live(id) !== undefined)
  }

  #add(user: string | null | undefined, id: SessionId): void {
    if (typeof user !== 'string') return
    this.#users.set(user, (this.#users.get(user) ?? new Set()).add(id))
  }
}

export class GreedySweep extends SimpleStore {
  override deleteExpired(): Promise<number> {
    return super.deleteExpired(Infinity)
  }
}

export class SweepsTheLiving extends SimpleStore {
  override async deleteExpired(limit: number): Promise<number> {
    const ids = [...this.records.keys()].slice(0, limit)
    for (const id of ids) this.records.delete(id)
    return ids.length
  }
}

export class Boasting extends SimpleStore {
  override readonly capabilities: StoreCapabilities = {
    ...new SimpleStore().capabilities,
    userIndex: true,
  }
}

export class Modest extends IndexedStore {
  override readonly capabilities: StoreCapabilities = {
    ...new IndexedStore().capabilities,
    list: false,
  }
}

/** An outage looks like a logout. */
export class SwallowingErrors extends SimpleStore {
  down = false

  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return this.down ? undefined : super.load(id, touch)
  }
}

export class IndexedAtCreate extends IndexedStore {
  readonly #users = new Map<SessionId, string | undefined>()

  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    this.#users.set(id, record.user)
    return super.create(id, record)
  }

  override async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return [...this.#users].flatMap(([id, owner]) => (owner === user && this.live(id) ? [id] : []))
  }
}

export class IndexWithoutCase extends IndexedStore {
  override async sessionsOf(user: string): Promise<readonly SessionId[]> {
    const same = (id: SessionId): boolean =>
      this.live(id)?.user?.toLowerCase() === user.toLowerCase()
    return [...this.records.keys()].filter(same)
  }
}

/** The cursor is a position among what is alive now. */
export class CountingCursor extends IndexedStore {
  override async list(cursor = '0'): Promise<SessionPage> {
    const start = Number(cursor)
    const ids = [...this.records.keys()].filter((id) => this.live(id) !== undefined)
    const page = ids.slice(start, start + 10)
    return page.length < 10 ? { ids: page } : { ids: page, cursor: String(start + 10) }
  }
}

/** Sweeping forgets the values. */
export class SweepsRecordsOnly extends SimpleStore {
  readonly #left: string[] = []

  override async deleteExpired(limit: number): Promise<number> {
    for (const [id, { values }] of this.records) {
      if (this.live(id) === undefined) this.#left.push(JSON.stringify([...values]))
    }
    return super.deleteExpired(limit)
  }

  dump(): string {
    return this.#left.join()
  }
}

/** Says `machine`, but every store has sessions of its own. */
export class Lonely extends SimpleStore {
  override readonly capabilities: StoreCapabilities = {
    ...new SimpleStore().capabilities,
    ...{ shared: 'machine', durable: 'process', clock: 'engine' },
  }

  /** It does not say that it is closed. */
  async close(): Promise<void> {
    await Promise.resolve()
  }
}

/** What cannot be read is a crash, or nothing. */
export class Unreadable extends SimpleStore {
  readonly broken = new Set<SessionId>()
  readonly future = new Set<SessionId>()

  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    if (this.broken.has(id)) throw new SyntaxError('Unexpected end of input')
    return this.future.has(id) ? undefined : super.load(id, touch)
  }
}

/** Sends a call again when its answer is lost. */
export class Retrying extends SimpleStore {
  cut = false

  override async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const made = await super.create(id, record)
    return this.#isCut() ? super.create(id, record) : made
  }

  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    return this.#isCut() ? super.commit(id, change) : outcome
  }

  #isCut(): boolean {
    const cut = this.cut
    this.cut = false
    return cut
  }
}
