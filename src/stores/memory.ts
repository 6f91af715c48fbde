import {
  applyChange,
  isExpired,
  isStale,
  makeRoom,
  swapValue,
  touched,
  withEvicted,
} from '../change.ts'
import type { Duration } from '../duration.ts'
import { parseDuration } from '../duration.ts'
import { SessionError } from '../errors.ts'
import { eventOf, eventOfCommit } from '../event-log.ts'
import { Listeners } from '../listening.ts'
import type { EventHandler } from '../listening.ts'
import { refuseUnknownNames } from '../names.ts'
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
} from '../store.ts'
import { MemoryLog } from './memory/log.ts'
import { Shelf } from './memory/shelf.ts'
import type { Kept } from './memory/shelf.ts'
import { unalterable } from '../unalterable.ts'

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
  userCap: true,
  events: 'log',
  expect: true,
})

const PAGE = 1_000

/**
 * Sessions in the memory of this process: for tests, for development, and for a single process whose
 * sessions may end with it. What it is given stays the caller's, and what it hands out cannot be changed.
 *
 * Its events are kept in memory too, from the first `watch` or `consume` on: the last 10,000 for groups
 * that have not handled them yet.
 */
export class MemoryStore implements SessionStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES
  readonly #shelf = new Shelf()
  readonly #log = new MemoryLog()
  readonly #listeners = new Listeners(this.#log)
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
    return this.#load(id, touch)
  }

  loadNow(id: SessionId, touch?: Touch): SessionRecord | 'none' | undefined {
    return this.#closed ? undefined : (this.#load(id, touch) ?? 'none')
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    if (this.#live(id) !== undefined) return false
    if (this.#shelf.size >= this.#maxSessions) this.#endOldest()
    this.#shelf.put(id, unalterable(record))
    this.#tellOf('created', { id, record })
    this.#startSweeping()
    return true
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const record = this.#live(id)
    if (record === undefined) return 'gone'
    const applied = applyChange(record, change)
    if (applied === 'stale') return 'stale'
    const evicted = makeRoom(change, (user) => this.#othersOf(user, id))
    if (evicted === 'full') return 'full'
    for (const other of evicted) this.#end(other, 'evicted')
    this.#shelf.put(id, unalterable(applied.record))
    this.#tell(eventOfCommit(id, change, this.#now(), record, applied.record))
    return withEvicted(applied.committed, evicted)
  }

  async destroy(id: SessionId): Promise<boolean> {
    if (this.#live(id) === undefined) return false
    this.#end(id, 'destroyed')
    return true
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
    this.#shelf.put(id, unalterable(swapped))
    return true
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    const record = this.#live(id)
    if (record === undefined || isStale(record, generation)) return undefined
    const text = record.values.get(name)
    const without = text === undefined ? false : swapValue(record, name, text, undefined)
    if (without !== false) this.#shelf.put(id, unalterable(without))
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

  async watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    this.#refuseClosed()
    return this.#listeners.watch(listener)
  }

  /** Events come one after the other; one whose handler threw comes again after a pause. */
  async consume(group: string, handler: EventHandler): Promise<StopListening> {
    this.#refuseClosed()
    return this.#listeners.consume(group, handler)
  }

  async tell(event: StoreEvent): Promise<void> {
    this.#refuseClosed()
    this.#tell({ ...event })
  }

  /** Stops the sweeper, ends all listening and forgets every session. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweeper)
    this.#listeners.close()
    this.#log.clear()
    this.#shelf.clear()
  }

  #load(id: SessionId, touch: Touch | undefined): SessionRecord | undefined {
    const record = this.#live(id)
    if (record === undefined) return undefined
    const moved = touch === undefined ? undefined : touched(record, touch)
    const latest = moved === undefined ? record : unalterable(moved)
    this.#shelf.put(id, latest)
    return latest
  }

  #live(id: SessionId): SessionRecord | undefined {
    this.#refuseClosed()
    const record = this.#shelf.get(id)
    if (record === undefined || !isExpired(record, this.#now())) return record
    this.#end(id, 'expired')
    return undefined
  }

  #othersOf(user: string, id: SessionId): readonly SessionId[] {
    const others = this.#shelf.idsOf(user).flatMap((other) => {
      const record = other === id ? undefined : this.#live(other)
      return record === undefined ? [] : [{ id: other, record }]
    })
    return others.toSorted((a, b) => a.record.expiresAt - b.record.expiresAt).map(({ id }) => id)
  }

  #endOldest(): void {
    const oldest = this.#shelf.removeOldest()
    if (oldest === undefined) return
    this.#tellOf(isExpired(oldest.record, this.#now()) ? 'expired' : 'evicted', oldest)
  }

  #end(id: SessionId, how: StoreEvent['type']): void {
    const record = this.#shelf.get(id)
    this.#shelf.remove(id)
    this.#tellOf(how, record && { id, record })
  }

  #tellOf(type: StoreEvent['type'], kept: Kept | undefined): void {
    if (kept !== undefined) this.#tell(eventOf(type, kept.id, this.#now(), kept.record.user))
  }

  #tell(event: StoreEvent | undefined): void {
    if (event === undefined) return
    this.#log.append(event)
    this.#listeners.nudge()
  }

  #startSweeping(): void {
    if (this.#sweeper !== undefined) return
    this.#sweeper = setInterval(() => this.#sweep(Infinity), this.#sweepEvery)
    this.#sweeper.unref()
  }

  #sweep(limit: number): number {
    const now = this.#now()
    const removed = this.#shelf.removeWhere((record) => isExpired(record, now), limit)
    for (const kept of removed) this.#tellOf('expired', kept)
    return removed.length
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
