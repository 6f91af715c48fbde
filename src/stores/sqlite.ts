import { setTimeout as sleep } from 'node:timers/promises'
import { applyChange, isStale, makeRoom, swapValue, touched, withEvicted } from '../change.ts'
import { SessionError } from '../errors.ts'
import { eventOf, eventOfCommit, eventOfEnd } from '../event-log.ts'
import { Listeners } from '../listening.ts'
import type { EventHandler } from '../listening.ts'
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
import { Sweeper } from '../sweeping.ts'
import type { SqliteDatabase } from './sqlite/database.ts'
import { failure, isBusy } from './sqlite/failure.ts'
import { Journal } from './sqlite/journal.ts'
import { SqliteLog } from './sqlite/log.ts'
import { settingsOf } from './sqlite/settings.ts'
import type { SqliteSettings, SqliteStoreOptions } from './sqlite/settings.ts'
import { Table } from './sqlite/table.ts'

export type { SqliteStoreOptions } from './sqlite/settings.ts'
export type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite/database.ts'

const PAGE = 500
/** ms between two attempts of a writer that met another one; a write takes less than that. */
const LONGEST_PAUSE = 5
/** ms between two looks at what other processes have told. */
const LISTEN_EVERY = 250

/** A step of a call: adds what it did to `told`, which is written in the same transaction. */
type Step<T> = (table: Table, now: number, told: StoreEvent[]) => T

interface Opened {
  readonly table: Table
  readonly journal: Journal
}

/**
 * Keeps sessions in SQLite, by any synchronous driver. Several processes may use one file.
 *
 * ```ts
 * new SqliteStore('data/sessions.db')                  // node:sqlite, Node 22.13 or later
 * new SqliteStore(new Database('data/sessions.db'))    // better-sqlite3 or libsql
 * ```
 */
export class SqliteStore implements SessionStore {
  readonly capabilities: StoreCapabilities
  readonly #settings: SqliteSettings
  readonly #now: () => number
  readonly #listeners: Listeners
  readonly #sweeper: Sweeper
  #database: SqliteDatabase | undefined
  #opened: Opened | undefined
  #closed = false

  /**
   * @param database - an open database, which stays yours and should be used for nothing else, since
   * a transaction of yours and one of the store cannot be open at once; or the path of a file
   * @throws SessionError `ERR_SESSION_OPTION`
   */
  constructor(database: SqliteDatabase | string, options: SqliteStoreOptions = {}) {
    this.#settings = settingsOf(database, options)
    this.#now = this.#settings.now
    this.capabilities = this.#settings.capabilities
    this.#listeners = this.#listenersTo()
    this.#sweeper = new Sweeper((limit) => this.deleteExpired(limit), this.#settings.sweepEvery)
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return this.#call('load', (table, now) => {
      const record = table.find(id, now)
      if (record === undefined || touch === undefined) return record
      return touched(record, touch) === undefined ? record : this.#touch(table, id, touch)
    })
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#write('create', (table, now, told) => {
      const before = table.occupantOf(id, now)
      if (before?.expired === false) return false
      table.put(id, record)
      if (before !== undefined) told.push(eventOfEnd(before, now))
      told.push(eventOf('created', id, now, record.user))
      return true
    })
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return this.#write('commit', (table, now, told) => {
      const record = table.find(id, now)
      if (record === undefined) return 'gone'
      const applied = applyChange(record, change)
      if (applied === 'stale') return 'stale'
      const evicted = makeRoom(change, (user) => table.othersOf(user, now, id))
      if (evicted === 'full') return 'full'
      for (const other of evicted) {
        table.remove(other, now)
        told.push(eventOf('evicted', other, now, change.user ?? undefined))
      }
      table.put(id, applied.record)
      const event = eventOfCommit(id, change, now, record, applied.record)
      if (event !== undefined) told.push(event)
      return withEvicted(applied.committed, evicted)
    })
  }

  async destroy(id: SessionId): Promise<boolean> {
    return this.#write('destroy', (table, now, told) => {
      const removed = table.remove(id, now)
      if (removed !== undefined) told.push(eventOfEnd(removed, now))
      return removed?.expired === false
    })
  }

  async swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    return this.#write('swap', (table, now) => {
      const record = table.find(id, now)
      if (record === undefined) return 'gone'
      if (isStale(record, generation)) return 'stale'
      const swapped = swapValue(record, name, before, after)
      if (swapped === false) return false
      table.put(id, swapped)
      return true
    })
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return this.#write('take', (table, now) => {
      const record = table.find(id, now)
      if (record === undefined || isStale(record, generation)) return undefined
      const text = record.values.get(name)
      const without = text !== undefined && swapValue(record, name, text, undefined)
      if (without !== false) table.put(id, without)
      return text
    })
  }

  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return this.#call('sessionsOf', (table, now) => table.idsOf(user, now))
  }

  async list(cursor = ''): Promise<SessionPage> {
    const ids = await this.#call('list', (table, now) => table.page(cursor, now, PAGE))
    const last = ids.at(-1)
    return last === undefined || ids.length < PAGE ? { ids } : { ids, cursor: last }
  }

  async deleteExpired(limit: number): Promise<number> {
    return this.#write('deleteExpired', (table, now, told) => {
      const removed = table.removeExpired(now, limit)
      told.push(...removed.map((each) => eventOfEnd(each, now)))
      if (this.#opened?.journal.isTooLong(now)) this.#opened.journal.trim(now)
      return removed.length
    })
  }

  /** Other processes hear of what happens within half a second. */
  async watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    return this.#listeners.watch(listener)
  }

  /**
   * Events come one after the other; one whose handler threw, or whose process died, comes again after
   * a pause. A consumer keeps its process alive. Events are kept for a day, 100,000 at most.
   */
  async consume(group: string, handler: EventHandler): Promise<StopListening> {
    return this.#listeners.consume(group, handler)
  }

  async tell(event: StoreEvent): Promise<void> {
    await this.#write('tell', (_table, _now, told) => told.push(event))
  }

  async ready(): Promise<void> {
    await this.#call('ready', () => undefined)
  }

  /** Ends sweeping and listening, and closes a file that the store opened itself. A database of yours stays open. */
  async close(): Promise<void> {
    this.#closed = true
    this.#sweeper.stop()
    this.#listeners.close()
    this.#opened = undefined
    if (this.#settings.owns) this.#database?.close?.()
    this.#database = undefined
  }

  /** The record may have changed since it was read: it is read again where nothing can come between. */
  #touch(table: Table, id: SessionId, touch: Touch): SessionRecord | undefined {
    return table.write(() => {
      const record = table.find(id, this.#now())
      const moved = record === undefined ? undefined : touched(record, touch)
      if (moved !== undefined) table.put(id, moved)
      return moved ?? record
    })
  }

  async #write<T>(verb: string, step: Step<T>): Promise<T> {
    let isTold = false
    const answer = await this.#call(verb, (table) =>
      table.write(() => {
        const [now, told]: [number, StoreEvent[]] = [this.#now(), []]
        const made = step(table, now, told)
        isTold = this.#opened?.journal.append(told, now) === true
        return made
      }),
    )
    if (isTold) this.#listeners.nudge()
    return answer
  }

  /** Does a step, or again if another connection was writing: nothing was done then. */
  async #call<T>(verb: string, step: (table: Table, now: number) => T): Promise<T> {
    const until = performance.now() + this.#settings.patience
    for (let attempt = 1; ; attempt++) {
      if (this.#closed) throw closed(verb)
      try {
        return step(this.#open().table, this.#now())
      } catch (cause) {
        if (!isBusy(cause) || performance.now() >= until) throw failure(verb, cause)
      }
      await sleep(Math.random() * Math.min(attempt, LONGEST_PAUSE))
    }
  }

  #open(): Opened {
    if (this.#opened !== undefined) return this.#opened
    this.#sweeper.start()
    this.#database ??= this.#settings.open()
    const table = new Table(this.#database, this.#settings.table)
    this.#opened = { table, journal: new Journal(this.#database, this.#settings.table) }
    return this.#opened
  }

  #listenersTo(): Listeners {
    const log = new SqliteLog({
      read: (step) => this.#call('watch', () => step(this.#open().journal)),
      write: (step) => this.#write('consume', () => step(this.#open().journal)),
    })
    return new Listeners(log, LISTEN_EVERY)
  }
}

function closed(verb: string): SessionError {
  return new SessionError(
    'ERR_SESSION_CLOSED',
    `${verb} came after close(). Open a store that is still needed.`,
  )
}
