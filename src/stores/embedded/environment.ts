import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from 'lmdb'
import type { RootDatabase } from 'lmdb'
import type { SessionId, SessionRecord } from '../../store.ts'
import { inspectDataFile } from './data-file.ts'
import { damaged } from './failures.ts'
import { Journal } from './journal.ts'
import type { JournalKey } from './journal.ts'
import { Newest } from './newest.ts'
import { Sessions } from './sessions.ts'

const SETTINGS = {
  noSubdir: false,
  encoding: 'binary',
  maxDbs: 4,
  // Also what limits how many processes can share the file.
  maxReaders: 510,
  permissionsMode: 0o600,
  // A commit is answered when it is on the disk, not before.
  overlappingSync: false,
  // With its batches a full disk ends the process: lmdb leaves the rejection of one unhandled.
  eventTurnBatching: false,
} as const

const LOOKS = 5

/**
 * The LMDB environment of a directory. LMDB must not open a file twice in one process (its locks
 * belong to the process, and opening while another instance writes would wait for itself for ever), so the
 * stores of a process that have the same directory share it.
 */
export class Environment {
  static readonly #open = new Map<string, Environment>()

  readonly sessions: Sessions
  readonly journal: Journal
  readonly #root: RootDatabase<Uint8Array>
  readonly #newest: Newest
  readonly #directory: string
  #users = 0

  private constructor(directory: string, mapSize: number) {
    this.#directory = directory
    this.#root = open<Uint8Array>(directory, { ...SETTINGS, mapSize })
    this.sessions = new Sessions({
      records: this.#root.openDB<Uint8Array, SessionId>('sessions', SETTINGS),
      expiries: this.#root.openDB<Uint8Array, [number, SessionId]>('expiries', SETTINGS),
      users: this.#root.openDB<Uint8Array, [string, SessionId]>('users', SETTINGS),
    })
    this.journal = new Journal(this.#root.openDB<Uint8Array, JournalKey>('events', SETTINGS))
    this.#newest = new Newest(this.#root)
  }

  /**
   * The environment of a directory, which is created if it is missing. Give it back with `release`.
   *
   * @throws SessionError `ERR_SESSION_STORE` for a damaged file; else what `node:fs` and LMDB throw
   */
  static async acquire(path: string, mapSize: number): Promise<Environment> {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const directory = realpathSync(path)
    if (!Environment.#open.has(directory)) await refuseDamage(join(directory, 'data.mdb'))
    // Looked for again: another store may have opened it meanwhile.
    const environment = Environment.#open.get(directory) ?? new Environment(directory, mapSize)
    Environment.#open.set(directory, environment)
    environment.#users++
    return environment
  }

  /** Runs `step` in a write transaction that no other, of any process, overlaps; resolves when it is on the disk. */
  write<T>(step: (sessions: Sessions, journal: Journal) => T): Promise<T> {
    return this.#root.transaction(() => step(this.sessions, this.journal))
  }

  /** Runs `step` on the newest state of the file. */
  read<T>(step: (sessions: Sessions, journal: Journal) => T): T {
    // lmdb reads from one snapshot for a while; another process may have written since.
    this.#root.resetReadTxn()
    return step(this.sessions, this.journal)
  }

  /** The record, also an expired one, or `'none'`; undefined if it cannot be read: `read` says why. */
  look(id: SessionId): SessionRecord | 'none' | undefined {
    try {
      return this.sessions.known(id, this.#newest.begin()) ?? 'none'
    } catch {
      return undefined
    } finally {
      this.#newest.end()
    }
  }

  /** Closes the file with the last one who uses it. */
  async release(): Promise<void> {
    this.#users--
    if (this.#users > 0) return
    Environment.#open.delete(this.#directory)
    this.#newest.close()
    await this.#root.close()
  }
}

/** While another process writes, what is read does not fit together; a damaged file stays as it is. */
async function refuseDamage(file: string): Promise<void> {
  for (let look = 1, before = -1; look <= LOOKS; look++) {
    const state = inspectDataFile(file)
    if (typeof state === 'string') return
    if (state.snapshot === before) throw damaged(file, state.damage)
    before = state.snapshot
    await sleep(20)
  }
}
