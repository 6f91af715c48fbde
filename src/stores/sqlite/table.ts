import { packRecord, packedExpiry, unpackRecord } from '../../record.ts'
import { SessionError } from '../../errors.ts'
import type { Removed } from '../../event-log.ts'
import type { SessionId, SessionRecord } from '../../store.ts'
import type { SqliteDatabase, SqliteStatement } from './database.ts'

/**
 * The table of a store: a row for each session, with the record as bytes and what is searched for in
 * columns of its own. Everything that reads before it writes belongs into `write`.
 */
export class Table {
  readonly #database: SqliteDatabase
  readonly #select: SqliteStatement
  readonly #selectAny: SqliteStatement
  readonly #replace: SqliteStatement
  readonly #delete: SqliteStatement
  readonly #deleteExpired: SqliteStatement
  readonly #idsOf: SqliteStatement
  readonly #othersOf: SqliteStatement
  readonly #page: SqliteStatement

  /**
   * Creates the table where it is missing, and turns on the write-ahead log, with which readers and
   * a writer do not wait for each other. A call that meets another writer fails at once.
   *
   * @param name - checked: it becomes part of the statements
   */
  constructor(database: SqliteDatabase, name: string) {
    // SQLite would keep the whole process waiting, and be unfair to some of the writers.
    database.exec('PRAGMA busy_timeout = 0')
    database.prepare('PRAGMA journal_mode = WAL').get()
    database.exec(schemaText(name))
    const prepare = (sql: string): SqliteStatement => database.prepare(sql)
    this.#database = database
    this.#select = prepare(`SELECT record FROM "${name}" WHERE id = ? AND expires_at > ?`)
    this.#selectAny = prepare(`SELECT id, expires_at, user_id, record FROM "${name}" WHERE id = ?`)
    this.#replace = prepare(
      `INSERT INTO "${name}" (id, expires_at, user_id, record) VALUES (?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, user_id = excluded.user_id,
      record = excluded.record`,
    )
    this.#delete = prepare(`DELETE FROM "${name}" WHERE id = ? RETURNING id, expires_at, user_id`)
    this.#deleteExpired = prepare(
      `DELETE FROM "${name}" WHERE id IN
      (SELECT id FROM "${name}" WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
      RETURNING id, expires_at, user_id`,
    )
    this.#idsOf = prepare(`SELECT id FROM "${name}" WHERE user_id = ? AND expires_at > ?`)
    this.#othersOf = prepare(
      `SELECT id FROM "${name}" WHERE user_id = ? AND expires_at > ? AND id <> ? ORDER BY expires_at`,
    )
    this.#page = prepare(
      `SELECT id FROM "${name}" WHERE id > ? AND expires_at > ? ORDER BY id LIMIT ?`,
    )
  }

  /** Does a step that no other connection can come between; all of it is kept, or nothing. */
  write<T>(step: () => T): T {
    // Not prepared: a driver may leave a prepared BEGIN that has failed with a view of the past.
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const answer = step()
      this.#database.exec('COMMIT')
      return answer
    } catch (error) {
      this.#undo()
      throw error
    }
  }

  /** The record that is live at `now`. */
  find(id: SessionId, now: number): SessionRecord | undefined {
    const row = this.#select.get(id, now)
    return row === undefined || row === null ? undefined : unpackRecord(bytesOf(row))
  }

  /** Writes a record over what is there. Within `write` only. */
  put(id: SessionId, record: SessionRecord): void {
    this.#replace.run(id, record.expiresAt, record.user ?? null, packRecord(record))
  }

  /**
   * What is kept under an id, dead or alive. Within `write` only.
   *
   * @throws SessionError `ERR_SESSION_VERSION` if a newer version wrote it
   */
  occupantOf(id: SessionId, now: number): Removed | undefined {
    const row = this.#selectAny.get(id)
    if (row === undefined || row === null) return undefined
    packedExpiry(bytesOf(row))
    return removedOf(row, now)
  }

  /** What was removed, if there was anything. Within `write` only. */
  remove(id: SessionId, now: number): Removed | undefined {
    const row = this.#delete.get(id)
    return row === undefined || row === null ? undefined : removedOf(row, now)
  }

  /** Within `write` only. */
  removeExpired(now: number, limit: number): Removed[] {
    return this.#deleteExpired.all(now, limit).map((row) => removedOf(row, now))
  }

  idsOf(user: string, now: number): SessionId[] {
    return this.#idsOf.all(user, now).map(idOf)
  }

  /** The live sessions of a user beside this one; those that end first come first. */
  othersOf(user: string, now: number, id: SessionId): SessionId[] {
    return this.#othersOf.all(user, now, id).map(idOf)
  }

  /** Ids after `cursor`, in their order. */
  page(cursor: string, now: number, limit: number): SessionId[] {
    return this.#page.all(cursor, now, limit).map(idOf)
  }

  #undo(): void {
    try {
      this.#database.exec('ROLLBACK')
    } catch {
      // SQLite has undone it by itself: a full disk, for example.
    }
  }
}

function schemaText(name: string): string {
  return `CREATE TABLE IF NOT EXISTS "${name}" (
      id TEXT NOT NULL PRIMARY KEY,
      expires_at INTEGER NOT NULL,
      user_id TEXT,
      record BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS "${name}_expires_at" ON "${name}" (expires_at);
    CREATE INDEX IF NOT EXISTS "${name}_user_id" ON "${name}" (user_id) WHERE user_id IS NOT NULL;`
}

function bytesOf(row: unknown): Uint8Array {
  const bytes: unknown = Reflect.get(Object(row), 'record')
  if (bytes instanceof Uint8Array) return bytes
  // As one of the drivers has them.
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes)
  throw new SessionError(
    'ERR_SESSION_CORRUPT',
    'The row of a session holds no record. It is kept as it is; destroy the session to be rid of it.',
  )
}

function removedOf(row: unknown, now: number): Removed {
  const { expires_at: expiresAt, user_id: user } = Object(row)
  return { id: idOf(row), user: user ?? undefined, expired: Number(expiresAt) <= now }
}

function idOf(row: unknown): SessionId {
  return String(Reflect.get(Object(row), 'id')) as SessionId
}
