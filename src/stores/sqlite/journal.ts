import { eventOf, lifeOf, LONGEST_AGE, MOST_EVENTS } from '../../event-log.ts'
import type { Claim, LoggedEvent } from '../../event-log.ts'
import type { SessionId, StoreEvent } from '../../store.ts'
import type { SqliteDatabase, SqliteStatement } from './database.ts'

/** How many events are removed at once at most, and how many may come before some are. */
const TRIM = 1_000
const TRIM_EVERY = 100

/**
 * The log of events in the file: an event is a row, and so is each group that has not handled it yet.
 * Nothing is written while nobody listens. What changes something belongs into a transaction.
 */
export class Journal {
  readonly #isHeard: SqliteStatement
  readonly #register: SqliteStatement
  readonly #insert: SqliteStatement
  readonly #deliver: SqliteStatement
  readonly #end: SqliteStatement
  readonly #after: SqliteStatement
  readonly #due: SqliteStatement
  readonly #lease: SqliteStatement
  readonly #postpone: SqliteStatement
  readonly #finish: SqliteStatement
  readonly #oldest: SqliteStatement
  readonly #trims: readonly SqliteStatement[]

  /** @param name - of the table of sessions, checked: it becomes part of the statements */
  constructor(database: SqliteDatabase, name: string) {
    database.exec(schemaText(name))
    const prepare = (sql: string): SqliteStatement => database.prepare(sql)
    this.#isHeard = prepare(`SELECT 1 FROM "${name}_listeners" WHERE until > ? LIMIT 1`)
    this.#register = prepare(
      `INSERT INTO "${name}_listeners" (name, until) VALUES (?, ?)
      ON CONFLICT (name) DO UPDATE SET until = max(until, excluded.until)`,
    )
    this.#insert = prepare(
      `INSERT INTO "${name}_events" (type, id, at, user_id) VALUES (?, ?, ?, ?)`,
    )
    this.#deliver = prepare(
      `INSERT INTO "${name}_deliveries" (name, position, until, tries)
      SELECT name, last_insert_rowid(), 0, 0 FROM "${name}_listeners" WHERE name <> '' AND until > ?`,
    )
    this.#end = prepare(`SELECT seq FROM sqlite_sequence WHERE name = '${name}_events'`)
    this.#after = prepare(
      `SELECT position, type, id, at, user_id FROM "${name}_events"
      WHERE position > ? ORDER BY position LIMIT ?`,
    )
    this.#due = prepare(
      `SELECT position, tries, type, id, at, user_id
      FROM "${name}_deliveries" JOIN "${name}_events" USING (position)
      WHERE name = ? AND until <= ? ORDER BY position LIMIT 1`,
    )
    const one = 'WHERE name = ? AND position = ?'
    this.#lease = prepare(`UPDATE "${name}_deliveries" SET until = ?, tries = ? ${one}`)
    this.#postpone = prepare(`UPDATE "${name}_deliveries" SET until = ? ${one}`)
    this.#finish = prepare(`DELETE FROM "${name}_deliveries" ${one}`)
    this.#oldest = prepare(`SELECT position, at FROM "${name}_events" ORDER BY position LIMIT 1`)
    this.#trims = [
      prepare(
        `DELETE FROM "${name}_events" WHERE (position <= ? OR at < ?) AND position IN
        (SELECT position FROM "${name}_events" ORDER BY position LIMIT ${TRIM})`,
      ),
      prepare(
        `DELETE FROM "${name}_deliveries" WHERE position <
        (SELECT coalesce(min(position), 9e15) FROM "${name}_events")`,
      ),
    ]
  }

  /** The position of the newest event that was ever written. */
  end(): number {
    return Number(Object(this.#end.get()).seq ?? 0)
  }

  /** True if anybody listens, so that events were written. */
  append(events: readonly StoreEvent[], now: number): boolean {
    if (events.length === 0 || !isRow(this.#isHeard.get(Date.now()))) return false
    const start = this.end()
    for (const { type, id, at, user } of events) {
      this.#insert.run(type, id, at, user ?? null)
      this.#deliver.run(Date.now())
    }
    if (Math.floor(start / TRIM_EVERY) !== Math.floor(this.end() / TRIM_EVERY)) this.trim(now)
    return true
  }

  after(position: number, limit: number): readonly LoggedEvent[] {
    return this.#after.all(position, limit).map(loggedEventOf)
  }

  /** Has events written for a group, or for watchers, from now on for a while. */
  register(name: string): void {
    this.#register.run(name, Date.now() + lifeOf(name))
  }

  /** True if there is an event for the group. */
  hasWork(group: string, now: number): boolean {
    return isRow(this.#due.get(group, now))
  }

  claim(group: string, now: number, until: number): Claim | undefined {
    const row = this.#due.get(group, now)
    if (!isRow(row)) return undefined
    const { position, event } = loggedEventOf(row)
    const tries = Number(Object(row).tries) + 1
    this.#lease.run(until, tries, group, position)
    return { position, event, group, tries }
  }

  postpone({ group, position }: Claim, until: number): void {
    this.#postpone.run(until, group, position)
  }

  finish({ group, position }: Claim): void {
    this.#finish.run(group, position)
  }

  /** True if the log holds more than it should. */
  isTooLong(now: number): boolean {
    const oldest = this.#oldest.get()
    if (!isRow(oldest)) return false
    const { position, at } = Object(oldest)
    return Number(position) <= this.end() - MOST_EVENTS || Number(at) < now - LONGEST_AGE
  }

  /** Removes some of what is beyond the bounds, and what groups had left of it. */
  trim(now: number): void {
    const [events, deliveries] = this.#trims
    events?.run(this.end() - MOST_EVENTS, now - LONGEST_AGE)
    deliveries?.run()
  }
}

function schemaText(name: string): string {
  return `CREATE TABLE IF NOT EXISTS "${name}_events" (
      position INTEGER PRIMARY KEY AUTOINCREMENT,
      type TEXT NOT NULL,
      id TEXT NOT NULL,
      at INTEGER NOT NULL,
      user_id TEXT
    );
    CREATE TABLE IF NOT EXISTS "${name}_listeners" (
      name TEXT NOT NULL PRIMARY KEY,
      until INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS "${name}_deliveries" (
      name TEXT NOT NULL,
      position INTEGER NOT NULL,
      until INTEGER NOT NULL,
      tries INTEGER NOT NULL,
      PRIMARY KEY (name, position)
    ) WITHOUT ROWID;`
}

function loggedEventOf(row: unknown): LoggedEvent {
  const { position, type, id, at, user_id: user } = Object(row)
  const event = eventOf(type as StoreEvent['type'], id as SessionId, Number(at), user ?? undefined)
  return { position: Number(position), event }
}

/** Drivers say that there is no row in different ways. */
function isRow(row: unknown): boolean {
  return row !== undefined && row !== null
}
