// Clocks that differ by less count as one, as in the scripts.
const SAME = 1000

/** How far the clock of Redis is ahead of the clock of this process, learned from its answers. */
export class ServerClock {
  #ahead: number | undefined

  /** False until the first answer. */
  get known(): boolean {
    return this.#ahead !== undefined
  }

  /** ms to take from a time of Redis for the time of this process; 0 while the clocks agree. */
  get ahead(): number {
    const ahead = this.#ahead ?? 0
    return Math.abs(ahead) > SAME ? ahead : 0
  }

  /**
   * @param at - the time of this process in a call
   * @param reply - what a script answered; it begins with the time of Redis, or is a word
   */
  learn(at: number, reply: string): void {
    const server = Number(reply.slice(0, 13))
    if (!Number.isNaN(server)) this.#ahead = server - at
  }
}
