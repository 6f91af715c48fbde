import type { SessionId, SessionRecord } from '../../store.ts'

/** A record under its id. */
export interface Kept {
  readonly id: SessionId
  readonly record: SessionRecord
}

interface Entry extends Kept {
  /** Grows with every session: where a page of `page` goes on. */
  readonly serial: number
  record: SessionRecord
  /** The neighbours in the order of use. */
  older: Entry | undefined
  newer: Entry | undefined
}

/** Records by id and by user, in the order of their last use. Every step takes the same time, however many there are. */
export class Shelf {
  readonly #entries = new Map<SessionId, Entry>()
  readonly #users = new Map<string, Set<SessionId>>()
  #oldest: Entry | undefined
  #newest: Entry | undefined
  #serial = 0

  get size(): number {
    return this.#entries.size
  }

  get(id: SessionId): SessionRecord | undefined {
    return this.#entries.get(id)?.record
  }

  /** Keeps the record, new or in place of the one before, as the one that was used last. */
  put(id: SessionId, record: SessionRecord): void {
    const entry = this.#entries.get(id) ?? this.#added(id, record)
    if (entry.record.user !== record.user) {
      this.#forgetUser(entry)
      this.#noteUser(id, record.user)
    }
    entry.record = record
    if (entry === this.#newest) return
    this.#unlink(entry)
    this.#link(entry)
  }

  /** False if there was none. */
  remove(id: SessionId): boolean {
    const entry = this.#entries.get(id)
    if (entry !== undefined) this.#drop(entry)
    return entry !== undefined
  }

  /** Removes and returns the record that was not used for the longest time. */
  removeOldest(): Kept | undefined {
    const oldest = this.#oldest
    if (oldest !== undefined) this.#drop(oldest)
    return oldest
  }

  /** Removes and returns at most `limit` records of which `test` is true. Looks at all of them. */
  removeWhere(test: (record: SessionRecord) => boolean, limit: number): readonly Kept[] {
    const removed: Kept[] = []
    for (const entry of this.#entries.values()) {
      if (removed.length >= limit) break
      if (!test(entry.record)) continue
      this.#drop(entry)
      removed.push(entry)
    }
    return removed
  }

  idsOf(user: string): SessionId[] {
    return [...(this.#users.get(user) ?? [])]
  }

  /** At most `size` ids from `cursor` on, in the order of creation; without `cursor` it was the last page. */
  page(cursor: number, size: number): { ids: SessionId[]; cursor: number | undefined } {
    const ids: SessionId[] = []
    for (const { id, serial } of this.#entries.values()) {
      if (serial < cursor) continue
      if (ids.length === size) return { ids, cursor: serial }
      ids.push(id)
    }
    return { ids, cursor: undefined }
  }

  clear(): void {
    this.#entries.clear()
    this.#users.clear()
    this.#oldest = undefined
    this.#newest = undefined
  }

  #added(id: SessionId, record: SessionRecord): Entry {
    const entry: Entry = { id, serial: this.#serial++, record, older: undefined, newer: undefined }
    this.#entries.set(id, entry)
    this.#noteUser(id, record.user)
    this.#link(entry)
    return entry
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.id)
    this.#forgetUser(entry)
    this.#unlink(entry)
  }

  #link(entry: Entry): void {
    entry.older = this.#newest
    if (this.#newest !== undefined) this.#newest.newer = entry
    this.#newest = entry
    this.#oldest ??= entry
  }

  #unlink(entry: Entry): void {
    if (entry.older !== undefined) entry.older.newer = entry.newer
    if (entry.newer !== undefined) entry.newer.older = entry.older
    if (this.#oldest === entry) this.#oldest = entry.newer
    if (this.#newest === entry) this.#newest = entry.older
    entry.older = undefined
    entry.newer = undefined
  }

  #noteUser(id: SessionId, user: string | undefined): void {
    if (user === undefined) return
    const ids = this.#users.get(user)
    if (ids === undefined) this.#users.set(user, new Set([id]))
    else ids.add(id)
  }

  #forgetUser({ id, record: { user } }: Entry): void {
    if (user === undefined) return
    const ids = this.#users.get(user)
    ids?.delete(id)
    if (ids?.size === 0) this.#users.delete(user)
  }
}
