const SECOND = 1000
const QUIET = 5 * SECOND

/** Tells what is measured, how far it is, and how long it will take still. */
export class Progress {
  readonly #name: string
  readonly #write: (text: string) => void
  #steps = 0
  #done = 0
  #begun = 0
  #told = 0

  /** @param name - of the question, with its place: `overhead (1 of 5)` */
  constructor(name: string, write: (text: string) => void) {
    this.#name = name
    this.#write = write
  }

  /** How many steps there will be. They are taken to be of about the same length. */
  plan(steps: number): void {
    this.#steps = steps
    this.#done = 0
    this.#begun = Date.now()
    this.#told = 0
  }

  /** A step begins. Not more than one line is written in a few seconds. */
  step(text: string): void {
    const now = Date.now()
    this.#done += 1
    if (now - this.#told < QUIET && this.#done < this.#steps) return
    this.#told = now
    this.#write(`${this.#name}: ${text} (step ${this.#done} of ${this.#steps}${this.#left(now)})`)
  }

  #left(now: number): string {
    const finished = this.#done - 1
    if (finished === 0) return ''
    const seconds = ((now - this.#begun) / finished / SECOND) * (this.#steps - finished)
    return seconds < 60
      ? `, about ${Math.ceil(seconds)} s left`
      : `, about ${Math.round(seconds / 60)} min left`
  }
}
