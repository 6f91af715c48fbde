/** ms after which a position that is not there is given up: its transaction was undone. */
const PATIENCE = 10_000
const MOST = 1_000

/**
 * Positions of a log that were given away and not seen yet. An event has its position before its
 * transaction is committed, so one that comes later may have a lower position.
 */
export class Gaps {
  readonly #since = new Map<number, number>()

  /** The positions to look at again. */
  get missing(): readonly number[] {
    return [...this.#since.keys()]
  }

  /**
   * Everything that is there was read: what followed `position`, and what was missing.
   *
   * @param found - in their order
   */
  wereRead(position: number, found: readonly number[], now: number): void {
    for (const [missing, since] of this.#since) {
      if (now - since > PATIENCE) this.#since.delete(missing)
    }
    const there = new Set(found)
    for (const each of there) this.#since.delete(each)
    const last = found.at(-1) ?? position
    for (let at = Math.max(position + 1, last - MOST); at < last; at++) {
      if (!there.has(at)) this.#since.set(at, now)
    }
  }
}
