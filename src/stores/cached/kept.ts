import type { SessionRecord, Touch } from '../../store.ts'
import type { TrackedRead } from '../../tracking.ts'

// What a record takes beside its texts: the entry, the record, its map.
const OVERHEAD = 1024

/** A record that is kept in this process. */
export class Kept {
  /** About how much memory it takes. */
  readonly bytes: number
  readonly #record: SessionRecord
  readonly #until: number

  /** @param at - when the read began, by `performance.now()` */
  constructor(record: SessionRecord, { left, bytes }: TrackedRead, at: number) {
    this.bytes = bytes + OVERHEAD
    this.#record = record
    this.#until = at + left
  }

  /** A copy for one caller: what is done to it does not change what is kept. */
  get record(): SessionRecord {
    return copyOf(this.#record)
  }

  /** False once the record has expired, by the clock of the engine; and if a touch is due. */
  serves(now: number, touch: Touch | undefined): boolean {
    return now < this.#until && (touch === undefined || !this.#isDue(now, touch))
  }

  // How much time is left does not depend on what the clock of this process says.
  #isDue(now: number, touch: Touch): boolean {
    const { generation, expiresAt, deadline } = this.#record
    if (generation !== touch.generation || expiresAt >= deadline) return false
    return this.#until - now < touch.whenBefore - touch.at
  }
}

/** A copy of a record. Its values cannot be changed. */
export function copyOf(record: SessionRecord): SessionRecord {
  const { client } = record
  return client === undefined ? { ...record } : { ...record, client: { ...client } }
}
