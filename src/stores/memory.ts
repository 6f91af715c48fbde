import { applyChange, isExpired, isStale, swapValue, touched } from '../change.ts'
import type { Duration } from '../duration.ts'
import { parseDuration } from '../duration.ts'
import { SessionError } from '../errors.ts'
import { refuseUnknownNames } from '../names.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionPage,
  SessionRecord,
  SessionStore,
  StoreCapabilities,
  Touch,
} from '../store.ts'
import { Shelf } from './memory/shelf.ts'

/** How a `MemoryStore` is set up. */
export interface MemoryStoreOptions {
  /**
   * How many sessions are kept. Set this when memory is short or visitors are many: a new session
   * beyond it ends the one that was not used for the longest time.
   * @default 100_000
   */
  readonly maxSessions?: number
  /**
   * How often expired sessions are removed from memory; they are hidden at once.
   * @default '1m'
   */
  readonly sweepEvery?: Duration
  /**
   * The clock, in ms since the epoch. Set this in tests.
   * @default Date.now
   */
  readonly now?: () => number
}

const CAPABILITIES: StoreCapabilities = Object.freeze({
  engine: 'memory',
  shared: 'process',
  durable: 'no',
  expiry: 'sweep',
  commit: 'atomic',
  clock: 'process',
  deadline: true,
  userIndex: true,
  list: true,
  expect: true,
})

const PAGE = 1_000

/**
 * Sessions in the memory of this process: for tests, for development, and for a single process whose
 * sessions may end with it. What it hands out and what it is given stays the caller's: nothing is shared.
 */
export class MemoryStore implements SessionStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES
  readonly #shelf = new Shelf()
  readonly #maxSessions: number
  readonly #sweepEvery: number
  readonly #now: () => number
  #sweeper: NodeJS.Timeout | undefined
  #closed = false

  /** @throws SessionError `ERR_SESSION_OPTION` */
  constructor(options: MemoryStoreOptions = {}) {
    refuseUnknownNames(options, ['maxSessions', 'sweepEvery', 'now'], 'MemoryStore')
    const { maxSessions = 100_000, sweepEvery = '1m', now = () => Date.now() } = options
    this.#maxSessions = checkedCount(maxSessions)
    this.#sweepEvery = parseDuration(sweepEvery, 'sweepEvery')
    this.#now = now
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = this.#live(id)
    if (record === undefined) return undefined
    const moved = touch === undefined ? undefined : touched(record, touch)
    this.#shelf.put(id, moved ?? record)
    return copyOf(moved ?? record)
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    if (this.#live(id) !== undefined) return false
    if (this.#shelf.size >= this.#maxSessions) this.#shelf.removeOldest()
    this.#shelf.put(id, copyOf(record))
    this.#startSweeping()
    return true
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const record = this.#live(id)
    if (record === undefined) return 'gone'
    const applied = applyChange(record, change)
    if (applied === 'stale') return 'stale'
    this.#shelf.put(id, applied.record)
    return applied.committed
  }

  async destroy(id: SessionId): Promise<boolean> {
    return this.#live(id) !== undefined && this.#shelf.remove(id)
  }

  async swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    const record = this.#live(id)
    if (record === undefined) return 'gone'
    if (isStale(record, generation)) return 'stale'
    const swapped = swapValue(record, name, before, after)
    if (swapped === false) return false
    this.#shelf.put(id, swapped)
    return true
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    const record = this.#live(id)
    if (record === undefined || isStale(record, generation)) return undefined
    const text = record.values.get(name)
    const without = text === undefined ? false : swapValue(record, name, text, undefined)
    if (without !== false) this.#shelf.put(id, without)
    return text
  }

  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    this.#refuseClosed()
    return this.#shelf.idsOf(user).filter((id) => this.#live(id) !== undefined)
  }

  async list(cursor?: string): Promise<SessionPage> {
    this.#refuseClosed()
    const { ids, cursor: next } = this.#shelf.page(Number(cursor ?? 0), PAGE)
    const live = ids.filter((id) => this.#live(id) !== undefined)
    return next === undefined ? { ids: live } : { ids: live, cursor: String(next) }
  }

  /** Looks at every session in memory. */
  async deleteExpired(limit: number): Promise<number> {
    this.#refuseClosed()
    return this.#sweep(limit)
  }

  /** Stops the sweeper and forgets every session. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweeper)
    this.#shelf.clear()
  }

  #live(id: SessionId): SessionRecord | undefined {
    this.#refuseClosed()
    const record = this.#shelf.get(id)
    if (record === undefined || !isExpired(record, this.#now())) return record
    this.#shelf.remove(id)
    return undefined
  }

  #startSweeping(): void {
    if (this.#sweeper !== undefined) return
    this.#sweeper = setInterval(() => this.#sweep(Infinity), this.#sweepEvery)
    this.#sweeper.unref()
  }

  #sweep(limit: number): number {
    const now = this.#now()
    return this.#shelf.removeWhere((record) => isExpired(record, now), limit)
  }

  #refuseClosed(): void {
    if (!this.#closed) return
    throw new SessionError(
      'ERR_SESSION_CLOSED',
      'The memory store was closed before this call. Close it when no request is left.',
    )
  }
}

function checkedCount(maxSessions: number): number {
  if (Number.isSafeInteger(maxSessions) && maxSessions > 0) return maxSessions
  throw new SessionError('ERR_SESSION_OPTION', 'maxSessions must be a whole number above 0.')
}

function copyOf(record: SessionRecord): SessionRecord {
  const copy = { ...record, values: new Map(record.values) }
  return record.client === undefined ? copy : { ...copy, client: { ...record.client } }
}
