import { Registrations, WATCHERS } from '../../event-log.ts'
import type { Claim, EventLog, LoggedEvent } from '../../event-log.ts'
import type { Journal } from './journal.ts'

/** How a log is reached: each step in a transaction of its own. */
export interface JournalAccess {
  readonly read: <T>(step: (journal: Journal) => T) => Promise<T>
  readonly write: <T>(step: (journal: Journal) => T) => Promise<T>
}

/** The log in the file as its readers see it. The lock of writers is taken only if there is something to write. */
export class SqliteLog implements EventLog {
  readonly #access: JournalAccess
  readonly #registrations = new Registrations()

  constructor(access: JournalAccess) {
    this.#access = access
  }

  async end(): Promise<number> {
    await this.join(WATCHERS)
    return this.#access.read((journal) => journal.end())
  }

  async after(position: number, limit: number): Promise<readonly LoggedEvent[]> {
    await this.#stay(WATCHERS)
    return this.#access.read((journal) => journal.after(position, limit))
  }

  async join(group: string): Promise<void> {
    await this.#access.write((journal) => journal.register(group))
    this.#registrations.wereTold(group, Date.now())
  }

  async claim(group: string, now: number, until: number): Promise<Claim | undefined> {
    await this.#stay(group)
    const hasWork = await this.#access.read((journal) => journal.hasWork(group, now))
    if (!hasWork) return undefined
    return this.#access.write((journal) => journal.claim(group, now, until))
  }

  postpone(claim: Claim, until: number): Promise<void> {
    return this.#access.write((journal) => journal.postpone(claim, until))
  }

  finish(claim: Claim): Promise<void> {
    return this.#access.write((journal) => journal.finish(claim))
  }

  async #stay(name: string): Promise<void> {
    if (this.#registrations.isDue(name, Date.now())) await this.join(name)
  }
}
