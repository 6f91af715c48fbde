import {
  applyChange,
  isExpired,
  isStale,
  makeRoom,
  swapValue,
  touched,
  withEvicted,
} from '../change.ts'
import { eventOf, eventOfCommit, eventOfEnd } from '../event-log.ts'
import { Listeners } from '../listening.ts'
import type { EventHandler } from '../listening.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionPage,
  SessionRecord,
  SessionStore,
  StopListening,
  StoreCapabilities,
  StoreEvent,
  Touch,
} from '../store.ts'
import type { Environment } from './embedded/environment.ts'
import { closedFailure, eventsFailure, openingFailure, verbFailure } from './embedded/failures.ts'
import { logIn } from './embedded/journal.ts'
import type { Journal } from './embedded/journal.ts'
import type { Sessions } from './embedded/sessions.ts'
import { capabilitiesOf, settingsOf } from './embedded/settings.ts'
import type { EmbeddedSettings, EmbeddedStoreOptions } from './embedded/settings.ts'

export type { EmbeddedStoreOptions } from './embedded/settings.ts'

const PAGE = 1_000
const SWEEP = 500
const RETRY_AFTER = 500
/** ms between two looks at what other processes have told. */
const LISTEN_EVERY = 250

/**
 * Sessions in a file of this machine, by LMDB: nothing to install, and any number of processes share it.
 *
 * Every verb that writes is one transaction, and is answered when it is on the disk: it survives a
 * crash of the process and, as far as the disk keeps what it acknowledged, of the machine. Writes that
 * come together share one wait for the disk. The file is opened by the first call, or by `ready()`.
 */
export class EmbeddedStore implements SessionStore {
  readonly capabilities: StoreCapabilities
  readonly #settings: EmbeddedSettings
  readonly #now: () => number
  readonly #listeners: Listeners | undefined
  readonly #writing = new Set<Promise<unknown>>()
  #opening: Promise<Environment> | undefined
  #environment: Environment | undefined
  #closing: Promise<void> | undefined
  #sweeper: NodeJS.Timeout | undefined

  /** @throws SessionError `ERR_SESSION_OPTION` */
  constructor(options: EmbeddedStoreOptions = {}) {
    this.#settings = settingsOf(options)
    this.#now = this.#settings.now
    this.capabilities = capabilitiesOf(this.#settings)
    if (this.#settings.events) this.#listeners = this.#listenersTo()
  }

  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const known = this.loadNow(id, touch)
    if (known !== undefined) return known === 'none' ? undefined : known
    const record = await this.#read('load', (sessions) => this.#live(sessions, id))
    if (record === undefined || touch === undefined) return record
    return touched(record, touch) === undefined ? record : this.#touch(id, touch)
  }

  loadNow(id: SessionId, touch?: Touch): SessionRecord | 'none' | undefined {
    const record = this.#closing === undefined ? this.#environment?.look(id) : undefined
    if (record === undefined || record === 'none') return record
    if (isExpired(record, this.#now())) return 'none'
    return touch === undefined || touched(record, touch) === undefined ? record : undefined
  }

  async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return this.#write('create', (sessions, told) => {
      const now = this.#now()
      const before = sessions.get(id)
      if (before !== undefined && !isExpired(before, now)) return false
      sessions.put(id, record, before)
      if (before !== undefined) told.push(eventOf('expired', id, now, before.user))
      told.push(eventOf('created', id, now, record.user))
      return true
    })
  }

  async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return this.#write('commit', (sessions, told) => {
      const now = this.#now()
      const record = this.#live(sessions, id)
      if (record === undefined) return 'gone'
      const applied = applyChange(record, change)
      if (applied === 'stale') return 'stale'
      const evicted = makeRoom(change, (user) => sessions.othersOf(user, now, id))
      if (evicted === 'full') return 'full'
      for (const other of evicted) {
        sessions.remove(other, now)
        told.push(eventOf('evicted', other, now, change.user ?? undefined))
      }
      sessions.put(id, applied.record, record)
      const event = eventOfCommit(id, change, now, record, applied.record)
      if (event !== undefined) told.push(event)
      return withEvicted(applied.committed, evicted)
    })
  }

  async destroy(id: SessionId): Promise<boolean> {
    return this.#write('destroy', (sessions, told) => {
      const removed = sessions.remove(id, this.#now())
      if (removed !== undefined) told.push(eventOfEnd(removed, this.#now()))
      return removed?.expired === false
    })
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
    const isDue = await this.#read('deleteExpired', (sessions, journal) => {
      return sessions.hasExpired(now) || (this.#settings.events && journal.isTooLong(now))
    })
    if (!isDue) return 0
    return this.#write('deleteExpired', (sessions, told, journal) => {
      const { done, removed } = sessions.removeExpired(now, limit)
      told.push(...removed.map((each) => eventOfEnd(each, now)))
      if (this.#settings.events) journal.trim(now)
      return done
    })
  }

  async watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    if (this.#listeners === undefined) throw eventsFailure('watch')
    return this.#listeners.watch(listener)
  }

  /**
   * Events come one after the other; one whose handler threw, or whose process died, comes again after
   * a pause. A consumer keeps its process alive.
   */
  async consume(group: string, handler: EventHandler): Promise<StopListening> {
    if (this.#listeners === undefined) throw eventsFailure('consume')
    return this.#listeners.consume(group, handler)
  }

  async tell(event: StoreEvent): Promise<void> {
    if (!this.#settings.events) throw eventsFailure('tell')
    await this.#write('tell', (_sessions, told) => told.push(event))
  }

  /** Opens the file. @throws SessionError `ERR_SESSION_STORE`, with what to do; a moment later it can be tried again */
  async ready(): Promise<void> {
    await this.#open()
  }

  /** Ends the sweeper and all listening, waits for the writes under way and closes the file. */
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

  #listenersTo(): Listeners {
    const log = logIn({
      read: (step) => this.#read('watch', (_sessions, journal) => step(journal)),
      write: (step) => this.#write('consume', (_sessions, _told, journal) => step(journal)),
    })
    return new Listeners(log, LISTEN_EVERY)
  }

  async #read<T>(verb: string, step: (sessions: Sessions, journal: Journal) => T): Promise<T> {
    const environment = await this.#open()
    try {
      return environment.read(step)
    } catch (cause) {
      throw await verbFailure(verb, this.#settings.directory, cause)
    }
  }

  /** @param step - adds what it did to `told`, which is written in the same transaction */
  async #write<T>(
    verb: string,
    step: (sessions: Sessions, told: StoreEvent[], journal: Journal) => T,
  ): Promise<T> {
    const environment = await this.#open()
    const told: StoreEvent[] = []
    const written = environment.write((sessions, journal) => {
      const answer = step(sessions, told, journal)
      if (this.#settings.events) journal.append(told, this.#now())
      return answer
    })
    this.#writing.add(written)
    try {
      const answer = await written
      if (told.length > 0) this.#listeners?.nudge()
      return answer
    } catch (cause) {
      throw await verbFailure(verb, this.#settings.directory, cause)
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
      const environment = await Environment.acquire(
        this.#settings.directory,
        this.#settings.mapSize,
      )
      this.#sweeper = setInterval(() => void this.#sweep(), this.#settings.sweepEvery).unref()
      this.#environment = environment
      return environment
    } catch (cause) {
      // What was wrong may be put right. Until then not every call looks through the whole file.
      setTimeout(() => (this.#opening = undefined), RETRY_AFTER).unref()
      throw openingFailure(this.#settings.directory, cause)
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
    this.#listeners?.close()
    const environment = await this.#opening?.catch(() => undefined)
    clearInterval(this.#sweeper)
    await Promise.allSettled(this.#writing)
    await environment?.release()
  }
}
