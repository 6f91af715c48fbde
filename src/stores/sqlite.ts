import { setTimeout as sleep } from 'node:timers/promises'
import { applyChange, isStale, swapValue, touched } from '../change.ts'
import { parseDuration } from '../duration.ts'
import type { Duration } from '../duration.ts'
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
import { fileOpener, isDatabase, isMemoryPath, isPrivate } from './sqlite/database.ts'
import type { SqliteDatabase } from './sqlite/database.ts'
import { failure, isBusy } from './sqlite/failure.ts'
import { Table } from './sqlite/table.ts'

export type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite/database.ts'

/** The options of a {@link SqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * The name of the table.
   * @default 'sojourn_sessions'
   */
  readonly table?: string
  /**
   * How long a call waits for other connections that are writing.
   * @default '2s'
   */
  readonly deadline?: Duration
  /**
   * The clock, in ms since the epoch. Set this in tests.
   * @default Date.now
   */
  readonly now?: () => number
}

const PAGE = 500
/** ms between two attempts of a writer that met another one; a write takes less than that. */
const LONGEST_PAUSE = 5

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
  readonly #open: () => SqliteDatabase
  readonly #owns: boolean
  readonly #name: string
  readonly #patience: number
  readonly #now: () => number
  #database: SqliteDatabase | undefined
  #table: Table | undefined
  #closed = false

  /**
   * @param database - an open database, which stays yours and should be used for nothing else, since
   * a transaction of yours and one of the store cannot be open at once; or the path of a file
   * @throws SessionError `ERR_SESSION_OPTION`
   */
  constructor(database: SqliteDatabase | string, options: SqliteStoreOptions = {}) {
    refuseUnknownNames(options, ['table', 'deadline', 'now'], 'SqliteStore')
    const { table = 'sojourn_sessions', deadline = '2s', now = () => Date.now() } = options
    this.#owns = typeof database === 'string'
    this.#open = typeof database === 'string' ? fileOpener(database) : () => checked(database)
    this.#name = checkedName(table)
    this.#patience = parseDuration(deadline, 'deadline')
    this.#now = now
    this.capabilities = capabilitiesOf(database)
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return this.#call('load', (table, now) => {
      const record = table.find(id, now)
      if (record === undefined || touch === undefined) return record
      return touched(record, touch) === undefined ? record : this.#touch(table, id, touch)
    })
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#write('create', (table, now) => {
      if (!table.isFree(id, now)) return false
      table.put(id, record)
      return true
    })
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return this.#write('commit', (table, now) => {
      const record = table.find(id, now)
      if (record === undefined) return 'gone'
      const applied = applyChange(record, change)
      if (applied === 'stale') return 'stale'
      const evicted = makeRoom(table, now, id, change)
      if (evicted === 'full') return 'full'
      table.put(id, applied.record)
      return evicted.length === 0 ? applied.committed : { ...applied.committed, evicted }
    })
  }

  async destroy(id: SessionId): Promise<boolean> {
    return this.#write('destroy', (table, now) => table.remove(id, now))
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
    return this.#write('deleteExpired', (table, now) => table.removeExpired(now, limit))
  }

  async ready(): Promise<void> {
    await this.#call('ready', () => undefined)
  }

  /** Closes a file that the store opened itself. A database of yours stays open. */
  async close(): Promise<void> {
    this.#closed = true
    this.#table = undefined
    if (this.#owns) this.#database?.close?.()
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

  #write<T>(verb: string, step: (table: Table, now: number) => T): Promise<T> {
    return this.#call(verb, (table) => table.write(() => step(table, this.#now())))
  }

  /** Does a step, or again if another connection was writing: nothing was done then. */
  async #call<T>(verb: string, step: (table: Table, now: number) => T): Promise<T> {
    const until = performance.now() + this.#patience
    for (let attempt = 1; ; attempt++) {
      if (this.#closed) throw closed(verb)
      try {
        return step(this.#opened(), this.#now())
      } catch (cause) {
        if (!isBusy(cause) || performance.now() >= until) throw failure(verb, cause)
      }
      await sleep(Math.random() * Math.min(attempt, LONGEST_PAUSE))
    }
  }

  #opened(): Table {
    if (this.#table !== undefined) return this.#table
    this.#database ??= this.#open()
    this.#table = new Table(this.#database, this.#name)
    return this.#table
  }
}

/** The sessions of the user that had to go for this one, or `full` if none may. Within `write` only. */
function makeRoom(
  table: Table,
  now: number,
  id: SessionId,
  { user, cap }: SessionChange,
): SessionId[] | 'full' {
  if (cap === undefined || typeof user !== 'string') return []
  const others = table.othersOf(user, now, id)
  const surplus = others.slice(0, Math.max(0, others.length - cap.most + 1))
  if (surplus.length > 0 && cap.full === 'reject') return 'full'
  for (const other of surplus) table.remove(other, now)
  return surplus
}

function capabilitiesOf(database: SqliteDatabase | string): StoreCapabilities {
  const alone = typeof database === 'string' ? isMemoryPath(database) : isPrivate(checked(database))
  return {
    engine: 'sqlite',
    shared: alone ? 'process' : 'machine',
    durable: alone ? 'no' : 'engine',
    expiry: 'sweep',
    commit: 'atomic',
    clock: 'process',
    deadline: true,
    userIndex: true,
    list: true,
    userCap: true,
    expect: true,
  }
}

function checked(database: unknown): SqliteDatabase {
  if (isDatabase(database)) return database
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'SqliteStore takes an open database of node:sqlite, better-sqlite3 or libsql, or the path of a file.',
  )
}

function checkedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return name
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'table must be 1 to 63 letters, digits and underscores, and not begin with a digit.',
  )
}

function closed(verb: string): SessionError {
  return new SessionError(
    'ERR_SESSION_CLOSED',
    `${verb} came after close(). Open a store that is still needed.`,
  )
}
