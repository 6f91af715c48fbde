import { resolve } from 'node:path'
import { applyChange, isExpired, isStale, swapValue, touched } from '../change.ts'
import type { Duration } from '../duration.ts'
import { parseDuration } from '../duration.ts'
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
import type { Environment } from './embedded/environment.ts'
import { closedFailure, openingFailure, verbFailure } from './embedded/failures.ts'
import type { Sessions } from './embedded/sessions.ts'

/** How an `EmbeddedStore` is set up. */
export interface EmbeddedStoreOptions {
  /**
   * The directory of its files, created with access for this user alone. On a local disk: the
   * processes that share it must be on one machine.
   * @default '.sojourn'
   */
  readonly path?: string
  /**
   * How often expired sessions are removed from the file; they are hidden at once.
   * @default '1m'
   */
  readonly sweepEvery?: Duration
  /**
   * Bytes of address space (neither memory nor disk) that are reserved. Set this when that is limited,
   * as by `ulimit -v`. The file may grow beyond it.
   * @default 17_179_869_184
   */
  readonly mapSize?: number
  /**
   * The clock, in ms since the epoch. Set this in tests.
   * @default Date.now
   */
  readonly now?: () => number
}

const CAPABILITIES: StoreCapabilities = Object.freeze({
  engine: 'embedded',
  shared: 'machine',
  durable: 'engine',
  expiry: 'sweep',
  commit: 'atomic',
  clock: 'process',
  deadline: false,
  userIndex: true,
  list: true,
  expect: true,
})

const OPTIONS = ['path', 'sweepEvery', 'mapSize', 'now']
const PAGE = 1_000
const SWEEP = 500
const RETRY_AFTER = 500

/**
 * Sessions in a file of this machine, by LMDB: nothing to install, and any number of processes share it.
 *
 * Every verb that writes is one transaction, and is answered when it is on the disk: it survives a
 * crash of the process and, as far as the disk keeps what it acknowledged, of the machine. Writes that
 * come together share one wait for the disk. The file is opened by the first call, or by `ready()`.
 */
export class EmbeddedStore implements SessionStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES
  readonly #directory: string
  readonly #sweepEvery: number
  readonly #mapSize: number
  readonly #now: () => number
  readonly #writing = new Set<Promise<unknown>>()
  #opening: Promise<Environment> | undefined
  #closing: Promise<void> | undefined
  #sweeper: NodeJS.Timeout | undefined

  /** @throws SessionError `ERR_SESSION_OPTION` */
  constructor(options: EmbeddedStoreOptions = {}) {
    refuseUnknownNames(options, OPTIONS, 'EmbeddedStore')
    const { path = '.sojourn', sweepEvery = '1m', mapSize = 2 ** 34, now } = options
    this.#directory = resolve(checkedPath(path))
    this.#sweepEvery = parseDuration(sweepEvery, 'sweepEvery')
    this.#mapSize = checkedSize(mapSize)
    this.#now = now ?? (() => Date.now())
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await this.#read('load', (sessions) => this.#live(sessions, id))
    if (record === undefined || touch === undefined) return record
    return touched(record, touch) === undefined ? record : this.#touch(id, touch)
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#write('create', (sessions) => {
      const before = sessions.get(id)
      if (before !== undefined && !isExpired(before, this.#now())) return false
      sessions.put(id, record, before)
      return true
    })
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return this.#write('commit', (sessions) => {
      const record = this.#live(sessions, id)
      if (record === undefined) return 'gone'
      const applied = applyChange(record, change)
      if (applied === 'stale') return 'stale'
      sessions.put(id, applied.record, record)
      return applied.committed
    })
  }

  async destroy(id: SessionId): Promise<boolean> {
    return this.#write('destroy', (sessions) => sessions.remove(id, this.#now()))
  }

  async swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    return this.#write('swap', (sessions) => {
      const record = this.#live(sessions, id)
      if (record === undefined) return 'gone'
      if (isStale(record, generation)) return 'stale'
      const swapped = swapValue(record, name, before, after)
      if (swapped === false) return false
      sessions.put(id, swapped, record)
      return true
    })
  }

  async take(id: SessionId, name: string, generation?: number): Promise<string | undefined> {
    return this.#write('take', (sessions) => {
      const record = this.#live(sessions, id)
      if (record === undefined || isStale(record, generation)) return undefined
      const text = record.values.get(name)
      const without = text === undefined ? false : swapValue(record, name, text, undefined)
      if (without !== false) sessions.put(id, without, record)
      return text
    })
  }

  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return this.#read('sessionsOf', (sessions) => sessions.idsOf(user, this.#now()))
  }

  async list(cursor?: string): Promise<SessionPage> {
    const after = cursor as SessionId | undefined
    return this.#read('list', (sessions) => sessions.page(after, PAGE, this.#now()))
  }

  async deleteExpired(limit: number): Promise<number> {
    const now = this.#now()
    if (!(await this.#read('deleteExpired', (sessions) => sessions.hasExpired(now)))) return 0
    return this.#write('deleteExpired', (sessions) => sessions.removeExpired(now, limit))
  }

  /** Opens the file. @throws SessionError `ERR_SESSION_STORE`, with what to do; a moment later it can be tried again */
  async ready(): Promise<void> {
    await this.#open()
  }

  /** Ends the sweeper, waits for the writes under way and closes the file. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  #live(sessions: Sessions, id: SessionId): SessionRecord | undefined {
    const record = sessions.get(id)
    return record === undefined || isExpired(record, this.#now()) ? undefined : record
  }

  /** Waits for the write: a deadline that a request was told has moved has moved. */
  #touch(id: SessionId, touch: Touch): Promise<SessionRecord | undefined> {
    return this.#write('load', (sessions) => {
      const record = this.#live(sessions, id)
      const moved = record === undefined ? undefined : touched(record, touch)
      if (moved !== undefined) sessions.put(id, moved, record)
      return moved ?? record
    })
  }

  async #read<T>(verb: string, step: (sessions: Sessions) => T): Promise<T> {
    const environment = await this.#open()
    try {
      return environment.read(step)
    } catch (cause) {
      throw await verbFailure(verb, this.#directory, cause)
    }
  }

  async #write<T>(verb: string, step: (sessions: Sessions) => T): Promise<T> {
    const environment = await this.#open()
    const written = environment.write(step)
    this.#writing.add(written)
    try {
      return await written
    } catch (cause) {
      throw await verbFailure(verb, this.#directory, cause)
    } finally {
      this.#writing.delete(written)
    }
  }

  #open(): Promise<Environment> {
    if (this.#closing !== undefined) return Promise.reject(closedFailure())
    this.#opening ??= this.#acquire()
    return this.#opening
  }

  async #acquire(): Promise<Environment> {
    try {
      // A program whose sessions are elsewhere does not load LMDB.
      const { Environment } = await import('./embedded/environment.ts')
      const environment = await Environment.acquire(this.#directory, this.#mapSize)
      this.#sweeper = setInterval(() => void this.#sweep(), this.#sweepEvery).unref()
      return environment
    } catch (cause) {
      // What was wrong may be put right. Until then not every call looks through the whole file.
      setTimeout(() => (this.#opening = undefined), RETRY_AFTER).unref()
      throw openingFailure(this.#directory, cause)
    }
  }

  async #sweep(): Promise<void> {
    try {
      while ((await this.deleteExpired(SWEEP)) === SWEEP) continue
    } catch {
      // Nobody waits for this: the next sweep tries again, and calls of visitors fail by themselves.
    }
  }

  async #finish(): Promise<void> {
    const environment = await this.#opening?.catch(() => undefined)
    clearInterval(this.#sweeper)
    await Promise.allSettled(this.#writing)
    await environment?.release()
  }
}

function checkedPath(path: unknown): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path
  throw new SessionError('ERR_SESSION_OPTION', "path must be the path of a directory: '.sojourn'.")
}

function checkedSize(mapSize: number): number {
  if (Number.isSafeInteger(mapSize) && mapSize >= 2 ** 20) return mapSize
  throw new SessionError('ERR_SESSION_OPTION', 'mapSize must be a number of bytes from 1 MiB on.')
}
