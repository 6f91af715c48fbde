import Database from 'libsql'
import type { SessionStore } from '../../../src/store.ts'
import { SqliteStore } from '../../../src/stores/sqlite.ts'

export function store(): SessionStore {
  return new SqliteStore(new Database(process.env['KIT_SQLITE_PATH'] ?? ''))
}
