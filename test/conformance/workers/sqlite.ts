import Database from 'libsql'
import type { SessionStore } from '../../../src/store.ts'
import { SqliteStore } from '../../../src/stores/sqlite.ts'

export function store(): SessionStore {
  return new SqliteStore(openSqlite(process.env['KIT_SQLITE_PATH'] ?? ''))
}

/** A connection as the store itself opens one: a commit does not wait for the disk. */
export function openSqlite(path: string): Database.Database {
  const database = new Database(path)
  database.exec('PRAGMA synchronous = NORMAL')
  return database
}
