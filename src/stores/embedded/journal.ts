import { createHash } from 'node:crypto'
import type { Database } from 'lmdb'
import { LONGEST_AGE, MOST_EVENTS } from '../../event-log.ts'
import type { Claim, EventLog, LoggedEvent } from '../../event-log.ts'
import type { StoreEvent } from '../../store.ts'

/** Every entry of the log begins with what it is. */
export type JournalKey = (number | string)[]

const EVENT = 0
const GROUP = 1
const LEASE = 2
const NEWEST = 3

/** How many events are removed at once at most, and how many may come before some are. */
const TRIM = 1_000
const TRIM_EVERY = 100

interface Lease {
  readonly until: number
  readonly tries: number
}

/**
 * The log of events in the file. What is written here is atomic and isolated only within a
 * transaction, which the caller begins.
 */
export class Journal {
  readonly #table: Database<Uint8Array, JournalKey>

  constructor(table: Database<Uint8Array, JournalKey>) {
    this.#table = table
  }

  /** The position of the newest event that was ever written. */
  end(): number {
    return Number(this.#get([NEWEST]) ?? 0)
  }

  append(events: readonly StoreEvent[], now: number): void {
    if (events.length === 0) return
    const end = this.end()
    for (const [n, event] of events.entries()) this.#put([EVENT, end + n + 1], event)
    this.#put([NEWEST], end + events.length)
    const isDue = Math.floor(end / TRIM_EVERY) !== Math.floor((end + events.length) / TRIM_EVERY)
    if (isDue) this.trim(now)
  }

  after(position: number, limit: number): readonly LoggedEvent[] {
    const range = { start: [EVENT, position + 1], end: [GROUP], limit }
    return Array.from(this.#table.getRange(range), ({ key, value }) => ({
      position: Number(key[1]),
      event: parsed(value) as StoreEvent,
    }))
  }

  join(group: string): void {
    const key = [GROUP, nameOf(group)]
    if (this.#get(key) === undefined) this.#put(key, this.end())
  }

  /** True if there may be an event for the group. */
  hasWork(group: string, now: number): boolean {
    return this.#nextOf(group).length > 0 || this.#due(group, now) !== undefined
  }

  claim(group: string, now: number, until: number): Claim | undefined {
    const [next] = this.#nextOf(group)
    const found = this.#due(group, now) ?? next
    if (found === undefined) return undefined
    const key = leaseKey(group, found.position)
    const before = this.#get(key) as Lease | undefined
    const tries = (before?.tries ?? 0) + 1
    this.#put(key, { until, tries })
    if (found === next) this.#put([GROUP, nameOf(group)], found.position)
    return { ...found, group, tries }
  }

  postpone({ group, position, tries }: Claim, until: number): void {
    const key = leaseKey(group, position)
    if (this.#get(key) !== undefined) this.#put(key, { until, tries })
  }

  finish({ group, position }: Claim): void {
    this.#table.removeSync(leaseKey(group, position))
  }

  /** True if the log holds more than it should. */
  isTooLong(now: number): boolean {
    const [oldest] = this.after(0, 1)
    return oldest !== undefined && this.#isOld(oldest, this.end(), now)
  }

  /** Removes some of what is beyond the bounds, and what was taken of it. */
  trim(now: number): void {
    const end = this.end()
    for (const entry of this.after(0, TRIM)) {
      if (!this.#isOld(entry, end, now)) break
      this.#table.removeSync([EVENT, entry.position])
    }
    const oldest = this.after(0, 1)[0]?.position ?? end + 1
    const leases = Array.from(this.#table.getKeys({ start: [LEASE], end: [NEWEST] }))
    for (const key of leases) if (Number(key[2]) < oldest) this.#table.removeSync(key)
  }

  #isOld({ position, event }: LoggedEvent, end: number, now: number): boolean {
    return position <= end - MOST_EVENTS || event.at < now - LONGEST_AGE
  }

  #nextOf(group: string): readonly LoggedEvent[] {
    const position = this.#get([GROUP, nameOf(group)])
    return position === undefined ? [] : this.after(Number(position), 1)
  }

  #due(group: string, now: number): LoggedEvent | undefined {
    const name = nameOf(group)
    const range = { start: [LEASE, name], end: [LEASE, name, Number.MAX_SAFE_INTEGER] }
    for (const { key, value } of this.#table.getRange(range)) {
      if ((parsed(value) as Lease).until > now) continue
      const position = Number(key[2])
      const event = this.#get([EVENT, position])
      if (event !== undefined) return { position, event: event as StoreEvent }
    }
    return undefined
  }

  #get(key: JournalKey): unknown {
    const bytes = this.#table.get(key)
    return bytes === undefined ? undefined : parsed(bytes)
  }

  #put(key: JournalKey, value: unknown): void {
    this.#table.putSync(key, Buffer.from(JSON.stringify(value)))
  }
}

/** How a log is reached: each step in a transaction of its own. */
export interface JournalAccess {
  readonly read: <T>(step: (journal: Journal) => T) => Promise<T>
  readonly write: <T>(step: (journal: Journal) => T) => Promise<T>
}

/** The log as its readers see it. */
export function logIn({ read, write }: JournalAccess): EventLog {
  return {
    end: () => read((journal) => journal.end()),
    after: (position, limit) => read((journal) => journal.after(position, limit)),
    join: (group) => write((journal) => journal.join(group)),
    // The lock of writers is taken only if there is something to take.
    claim: async (group, now, until) => {
      if (!(await read((journal) => journal.hasWork(group, now)))) return undefined
      return write((journal) => journal.claim(group, now, until))
    },
    postpone: (claim, until) => write((journal) => journal.postpone(claim, until)),
    finish: (claim) => write((journal) => journal.finish(claim)),
  }
}

function leaseKey(group: string, position: number): JournalKey {
  return [LEASE, nameOf(group), position]
}

/** A group may be longer than a key can be. */
function nameOf(group: string): string {
  return createHash('sha256').update(group).digest('base64url')
}

function parsed(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString())
}
