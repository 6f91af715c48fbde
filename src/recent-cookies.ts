import type { Credential } from './token.ts'
import type { SessionId } from './store.ts'

/** A genuine cookie of a request, with the id that its token hashes to. */
export interface Presented extends Credential {
  readonly id: SessionId
}

/**
 * The genuine cookie values that came lately, with what they prove: a visitor sends the same one with
 * every request, and three hashes are the dearest part of reading it. Only what has verified is kept,
 * under the whole value, and only as long as the keys do not change: one of these for each keyring.
 *
 * Two maps that take turns: when the newer one is full, the older one is forgotten.
 */
export class RecentCookies {
  readonly #most: number
  #newer = new Map<string, Presented>()
  #older = new Map<string, Presented>()

  /** @param most - values in each of the two maps */
  constructor(most: number) {
    this.#most = most
  }

  find(value: string): Presented | undefined {
    const newer = this.#newer.get(value)
    if (newer !== undefined) return newer
    const older = this.#older.get(value)
    if (older !== undefined) this.keep(value, older)
    return older
  }

  keep(value: string, presented: Presented): void {
    if (this.#newer.size >= this.#most) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(copyOf(value), presented)
  }
}

/**
 * The same ASCII text on its own: a part of a header keeps all of it in memory for as long as it is
 * kept itself.
 */
export function copyOf<Text extends string>(part: Text): Text {
  return Buffer.from(part, 'latin1').toString('latin1') as Text
}
