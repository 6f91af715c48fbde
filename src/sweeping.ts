const BATCH = 500

/** Removes what has expired from time to time, for engines that do not do so by themselves. */
export class Sweeper {
  readonly #deleteExpired: (limit: number) => Promise<number>
  readonly #every: number
  #timer: NodeJS.Timeout | undefined
  #sweeping = false

  /** @param every - ms */
  constructor(deleteExpired: (limit: number) => Promise<number>, every: number) {
    this.#deleteExpired = deleteExpired
    this.#every = every
  }

  /** Begins, if it has not begun. It does not keep the process alive. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#sweep(), this.#every).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #sweep(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    try {
      while ((await this.#deleteExpired(BATCH)) === BATCH) continue
    } catch {
      // Nobody waits for this: the next sweep tries again, and calls of visitors fail by themselves.
    } finally {
      this.#sweeping = false
    }
  }
}
