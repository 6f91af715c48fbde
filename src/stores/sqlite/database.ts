import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { SessionError } from '../../errors.ts'

/** A database of a synchronous SQLite driver: `node:sqlite`, `better-sqlite3`, `libsql` or one like them. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close?(): unknown
}

/** A prepared statement of such a driver. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): { readonly changes: number | bigint }
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
}

/** What a statement is given. */
export type SqliteValue = string | number | null | Uint8Array

interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => SqliteDatabase
}

/** True for what answers like a database. */
export function isDatabase(value: unknown): value is SqliteDatabase {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['exec', 'prepare'].every((name) => typeof Reflect.get(value, name) === 'function')
  )
}

/**
 * How to open a file with the SQLite of Node. A new file has mode 0600, and so have the two that
 * SQLite keeps beside it; a new directory has mode 0700.
 *
 * @throws SessionError `ERR_SESSION_OPTION` if this Node has no SQLite
 */
export function fileOpener(path: string): () => SqliteDatabase {
  const sqlite = nodeSqlite()
  if (sqlite === undefined) throw noSqlite()
  return () => {
    if (!isMemoryPath(path)) prepareFile(path)
    const database = new sqlite.DatabaseSync(path)
    database.exec('PRAGMA synchronous = NORMAL')
    return database
  }
}

/** True for the names under which SQLite keeps a database in memory, or in a file that ends with it. */
export function isMemoryPath(path: string): boolean {
  return path === '' || path === ':memory:'
}

/** True if the database is of this connection alone. */
export function isPrivate(database: SqliteDatabase): boolean {
  try {
    const [main] = database.prepare('PRAGMA database_list').all()
    return Object(main).file === ''
  } catch {
    // What is wrong with it is said by the first call.
    return false
  }
}

function prepareFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

function nodeSqlite(): NodeSqlite | undefined {
  const found: unknown = process.getBuiltinModule('node:sqlite')
  return isNodeSqlite(found) ? found : undefined
}

function isNodeSqlite(found: unknown): found is NodeSqlite {
  return typeof found === 'object' && found !== null && 'DatabaseSync' in found
}

function noSqlite(): SessionError {
  return new SessionError(
    'ERR_SESSION_OPTION',
    `SqliteStore opens a path with the SQLite of Node, which ${process.version} does not have. ` +
      'Use Node 22.13 or later, or install libsql and give `new SqliteStore(new Database(path))`.',
  )
}
