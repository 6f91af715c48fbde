import { packedChecksum, unpackRecord } from '../../record.ts'
import type { SessionId, SessionRecord } from '../../store.ts'
import { sealed } from '../../unalterable.ts'

interface Known {
  readonly bytes: Buffer
  readonly record: SessionRecord
}

/** Of bytes that were read once, their checksum: more is kept when they are read again. */
type Entry = Known | number

/** About how many bytes of memory each of the two halves may take. */
const HALF = 8 * 2 ** 20
/** What is kept of a record beside its bytes and its texts, in bytes. */
const EACH = 1_000

/**
 * Records that were read before, with the bytes that they were read from: what has the same bytes is
 * not decoded again. Whoever asks has read the bytes, so nothing in here is ever out of date, and bytes
 * that were damaged meanwhile are looked at like any other.
 *
 * Bounded: what is used moves to the first half, and a first half that is full becomes the second.
 */
export class Remembered {
  #recent = new Map<SessionId, Entry>()
  #older = new Map<SessionId, Entry>()
  #room = HALF

  /**
   * The record in these bytes. One that may be handed out again cannot be changed.
   *
   * @param bytes - may be overwritten afterwards
   * @throws SessionError as `unpackRecord`
   */
  recordOf(id: SessionId, bytes: Uint8Array): SessionRecord {
    const entry = this.#recent.get(id) ?? this.#promoted(id)
    if (isSame(entry, bytes)) return entry.record
    const checksum = packedChecksum(bytes)
    if (entry !== checksum) return this.#seen(id, bytes, checksum)
    const copy = Buffer.allocUnsafeSlow(bytes.length)
    copy.set(whole(bytes))
    const record = sealed(unpackRecord(copy))
    this.#keep(id, { bytes: copy, record })
    return record
  }

  forget(id: SessionId): void {
    this.#older.delete(id)
    const entry = this.#recent.get(id)
    if (entry === undefined) return
    this.#recent.delete(id)
    this.#room += sizeOf(entry)
  }

  // What is read seldom, or changes with every request, would take time to keep and save none.
  #seen(id: SessionId, bytes: Uint8Array, checksum: number): SessionRecord {
    this.#keep(id, checksum)
    return unpackRecord(whole(bytes))
  }

  #promoted(id: SessionId): Entry | undefined {
    const entry = this.#older.get(id)
    if (entry !== undefined) this.#keep(id, entry)
    return entry
  }

  #keep(id: SessionId, entry: Entry): void {
    this.forget(id)
    this.#recent.set(id, entry)
    this.#room -= sizeOf(entry)
    if (this.#room > 0) return
    this.#older = this.#recent
    this.#recent = new Map()
    this.#room = HALF
  }
}

// The length that lmdb gives its buffer is not the one that the engine of JavaScript knows of.
function whole(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length)
}

function isSame(entry: Entry | undefined, bytes: Uint8Array): entry is Known {
  return typeof entry === 'object' && entry.bytes.compare(bytes, 0, bytes.length) === 0
}

function sizeOf(entry: Entry): number {
  return typeof entry === 'number' ? EACH : EACH + 2 * entry.bytes.length
}
