import { createHash } from 'node:crypto'
import type { Database } from 'lmdb'
import { isExpired } from '../../change.ts'
import type { Removed } from '../../event-log.ts'
import { packRecord, packedExpiry, unpackRecord } from '../../record.ts'
import type { SessionId, SessionPage, SessionRecord } from '../../store.ts'
import type { ReadOptions } from './newest.ts'
import { Remembered } from './remembered.ts'

/** A table, with an argument that the types of lmdb do not have. */
interface Records extends Database<Uint8Array, SessionId> {
  getBinaryFast(id: SessionId, options?: ReadOptions): Buffer | undefined
}

/** The three tables of the file. */
export interface Tables {
  /** id -> packed record */
  readonly records: Records
  /** [expiresAt, id] -> nothing: what has expired, first to last */
  readonly expiries: Database<Uint8Array, [number, SessionId]>
  /** [hash of the user, id] -> nothing: a user may be longer than a key can be */
  readonly users: Database<Uint8Array, [string, SessionId]>
}

const NOTHING = Buffer.of(0)
// Above every character of an id.
const LAST = '\u{ffff}' as SessionId

/**
 * Records with their indexes. What is written here is atomic and isolated only within a transaction,
 * which the caller begins.
 */
export class Sessions {
  readonly #tables: Tables
  readonly #remembered = new Remembered()

  constructor(tables: Tables) {
    this.#tables = tables
  }

  /** The record, also an expired one. @throws SessionError `ERR_SESSION_CORRUPT`, `ERR_SESSION_VERSION` */
  get(id: SessionId): SessionRecord | undefined {
    const bytes = this.#bytes(id)
    return bytes === undefined ? undefined : unpackRecord(bytes)
  }

  /** As `get`, but what was read before is not decoded again: it can be handed out to several callers. */
  known(id: SessionId, options: ReadOptions | undefined): SessionRecord | undefined {
    const bytes = this.#tables.records.getBinaryFast(id, options)
    if (bytes !== undefined) return this.#remembered.recordOf(id, bytes)
    this.#remembered.forget(id)
    return undefined
  }

  /** Writes a record in place of `before`, which must be the one that is stored. */
  put(id: SessionId, record: SessionRecord, before: SessionRecord | undefined): void {
    this.#tables.records.putSync(id, packRecord(record))
    if (before?.expiresAt !== record.expiresAt) {
      this.#removeExpiry(id, before)
      this.#tables.expiries.putSync([record.expiresAt, id], NOTHING)
    }
    if (before?.user !== record.user) {
      this.#removeUser(id, before)
      if (record.user !== undefined) this.#tables.users.putSync([keyOf(record.user), id], NOTHING)
    }
  }

  /** Removes what is stored, also if it cannot be read. */
  remove(id: SessionId, now: number): Removed | undefined {
    const record = this.#readable(id)
    this.#remembered.forget(id)
    if (record === undefined) {
      return this.#tables.records.removeSync(id)
        ? { id, user: undefined, expired: false }
        : undefined
    }
    this.#drop(id, record)
    return { id, user: record.user, expired: isExpired(record, now) }
  }

  hasExpired(now: number): boolean {
    return this.#expired(now, 1).length > 0
  }

  /** Removes at most `limit` expired records: how many entries are done with, and whose they were. */
  removeExpired(now: number, limit: number): { done: number; removed: readonly Removed[] } {
    const found = this.#expired(now, limit)
    const removed = found.flatMap(([expiresAt, id]) => {
      this.#tables.expiries.removeSync([expiresAt, id])
      const record = this.#readable(id)
      const isLive = record !== undefined && !isExpired(record, now)
      const gone = isLive ? undefined : this.remove(id, now)
      return gone === undefined ? [] : [gone]
    })
    return { done: found.length, removed }
  }

  /** Ids of the live sessions of a user. */
  idsOf(user: string, now: number): SessionId[] {
    const key = keyOf(user)
    const keys = this.#tables.users.getKeys({ start: [key], end: [key, LAST] })
    const ids = Array.from(keys, ([, id]) => id)
    return ids.filter((id) => this.#isOf(id, user, now))
  }

  /** The live sessions of a user beside this one; those that end first come first. */
  othersOf(user: string, now: number, id: SessionId): SessionId[] {
    const others = this.idsOf(user, now).filter((other) => other !== id)
    const ends = new Map(others.map((other) => [other, this.#readable(other)?.expiresAt ?? 0]))
    return others.toSorted((a, b) => (ends.get(a) ?? 0) - (ends.get(b) ?? 0))
  }

  /** At most `size` ids of live sessions after `cursor`, in the order of the ids. */
  page(cursor: SessionId | undefined, size: number, now: number): SessionPage {
    const from = cursor === undefined ? {} : { start: cursor, exclusiveStart: true }
    const entries = Array.from(this.#tables.records.getRange({ ...from, limit: size }))
    const ids = entries.filter(({ value }) => isLive(value, now)).map(({ key }) => key)
    const last = entries.at(-1)
    return last === undefined || entries.length < size ? { ids } : { ids, cursor: last.key }
  }

  #bytes(id: SessionId): Buffer | undefined {
    // A view of a buffer that the next read overwrites: whoever gets it copies at once.
    const view = this.#tables.records.getBinaryFast(id)
    return view?.subarray(0, view.length)
  }

  #readable(id: SessionId): SessionRecord | undefined {
    try {
      return this.get(id)
    } catch {
      return undefined
    }
  }

  #isOf(id: SessionId, user: string, now: number): boolean {
    const record = this.#readable(id)
    return record !== undefined && record.user === user && !isExpired(record, now)
  }

  #drop(id: SessionId, record: SessionRecord): void {
    this.#tables.records.removeSync(id)
    this.#removeExpiry(id, record)
    this.#removeUser(id, record)
  }

  #removeExpiry(id: SessionId, record: SessionRecord | undefined): void {
    if (record !== undefined) this.#tables.expiries.removeSync([record.expiresAt, id])
  }

  #removeUser(id: SessionId, record: SessionRecord | undefined): void {
    if (record?.user !== undefined) this.#tables.users.removeSync([keyOf(record.user), id])
  }

  #expired(now: number, limit: number): [number, SessionId][] {
    return Array.from(this.#tables.expiries.getKeys({ end: [now, LAST], limit }))
  }
}

function isLive(bytes: Uint8Array, now: number): boolean {
  try {
    return packedExpiry(bytes) > now
  } catch {
    return false
  }
}

function keyOf(user: string): string {
  return createHash('sha256').update(user).digest('base64url')
}
