/** Something of which it is known how much memory it takes. */
interface Sized {
  readonly bytes: number
}

/** What was used most recently, as much of it as fits into a number of bytes. */
export class Recent<Entry extends Sized> {
  readonly #most: number
  // In the order of their last use: a map lists what was added last at the end.
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  /** The entry, which counts as used now. */
  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry
  }

  holds(key: string, entry: Entry): boolean {
    return this.#entries.get(key) === entry
  }

  /** Takes an entry in, instead of those that were not used for longest. One that is too large is left out. */
  set(key: string, entry: Entry): void {
    this.delete(key)
    if (entry.bytes > this.#most) return
    this.#entries.set(key, entry)
    this.#bytes += entry.bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#most) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }
}
