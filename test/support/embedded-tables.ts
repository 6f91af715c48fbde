import { type Database, open } from 'lmdb'
import type { SessionId } from '../../src/store.ts'

/** The tables of an embedded store, seen past the store. */
export interface EmbeddedTables {
  readonly records: Database<Buffer, SessionId>
  readonly expiries: Database<Buffer, [number, SessionId]>
  readonly users: Database<Buffer, [string, SessionId]>
  /** Runs a step in a write transaction. */
  write(step: () => void): Promise<void>
  close(): Promise<void>
}

/** Opens the file of a store. Do it while no store of this process writes: LMDB would wait for itself. */
export function openTables(path: string): EmbeddedTables {
  const binary = { encoding: 'binary', create: false } as const
  const settings = { overlappingSync: false, eventTurnBatching: false, noSubdir: false } as const
  const root = open<Buffer>(path, { ...binary, ...settings, mapSize: 2 ** 34 })
  return {
    records: root.openDB<Buffer, SessionId>('sessions', binary),
    expiries: root.openDB<Buffer, [number, SessionId]>('expiries', binary),
    users: root.openDB<Buffer, [string, SessionId]>('users', binary),
    write: (step) => root.transaction(step),
    close: () => root.close(),
  }
}
