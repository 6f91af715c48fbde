import { parseDuration } from '../../duration.ts'
import type { Duration } from '../../duration.ts'
import { SessionError } from '../../errors.ts'
import { refuseUnknownNames } from '../../names.ts'
import type { StoreCapabilities } from '../../store.ts'
import { fileOpener, isDatabase, isMemoryPath, isPrivate } from './database.ts'
import type { SqliteDatabase } from './database.ts'

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
   * How often expired sessions are removed; they are hidden at once.
   * @default '1m'
   */
  readonly sweepEvery?: Duration
  /**
   * The clock, in ms since the epoch. Set this in tests.
   * @default Date.now
   */
  readonly now?: () => number
}

/** The options as they are in force. */
export interface SqliteSettings {
  readonly open: () => SqliteDatabase
  /** True if the store closes what it opened. */
  readonly owns: boolean
  readonly table: string
  /** ms */
  readonly patience: number
  /** ms */
  readonly sweepEvery: number
  readonly now: () => number
  readonly capabilities: StoreCapabilities
}

/** @throws SessionError `ERR_SESSION_OPTION` */
export function settingsOf(
  database: SqliteDatabase | string,
  options: SqliteStoreOptions,
): SqliteSettings {
  refuseUnknownNames(options, ['table', 'deadline', 'sweepEvery', 'now'], 'SqliteStore')
  const { table = 'sojourn_sessions', now = () => Date.now() } = options
  const { deadline = '2s', sweepEvery = '1m' } = options
  return {
    open: typeof database === 'string' ? fileOpener(database) : () => checked(database),
    owns: typeof database === 'string',
    table: checkedName(table),
    patience: parseDuration(deadline, 'deadline'),
    sweepEvery: parseDuration(sweepEvery, 'sweepEvery'),
    now,
    capabilities: capabilitiesOf(database),
  }
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
    events: 'log',
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
