import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'libsql'
import type { EngineAccess } from '../../../src/conformance/index.ts'
import { SqliteStore } from '../../../src/stores/sqlite.ts'
import { openSqlite } from '../workers/sqlite.ts'
import type { StartedEngine } from '../engines.ts'

/** An SQLite file in a directory of its own. */
export async function startSqliteEngine(): Promise<StartedEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-kit-'))
  const path = join(directory, 'sessions.db')
  const database = openSqlite(path)
  await new SqliteStore(database).ready()
  return {
    options: {
      store: () => new SqliteStore(openSqlite(path)),
      worker: new URL('../workers/sqlite.ts', import.meta.url),
      env: { KIT_SQLITE_PATH: path },
      engine: {
        ...accessTo(database),
        elsewhere: () => new SqliteStore(openSqlite(path), { table: 'elsewhere' }),
      },
    },
    stop: async () => {
      database.close()
      await rm(directory, { recursive: true })
    },
  }
}

interface Row {
  readonly id: string
  readonly user_id: string | null
  readonly record: ArrayBuffer
}

function accessTo(database: Database.Database): EngineAccess {
  const set = database.prepare('UPDATE sojourn_sessions SET record = ? WHERE id = ?')
  const select = database.prepare('SELECT id, user_id, record FROM sojourn_sessions')
  return {
    dump: async () => {
      const rows = select.all() as Row[]
      return rows
        .map(({ id, user_id: user, record }) => `${id} ${user} ${Buffer.from(record).toString()}`)
        .join('\n')
    },
    // A row without an end could not be stored: the column is NOT NULL.
    immortal: async () => [],
    corrupt: async (id) => void set.run(Buffer.from('no record'), id),
    fromTheFuture: async (id) => {
      const row = (select.all() as Row[]).find((each) => each.id === id)
      const record = Buffer.from(row?.record ?? new ArrayBuffer(2))
      record[1] = 99
      set.run(record, id)
    },
  }
}
