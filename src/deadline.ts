import { SessionError } from './errors.ts'

interface Waiting {
  readonly dueAt: number
  readonly verb: string
  /** Gone once the call has settled: it would keep the answer alive for as long as it waits in line. */
  fail: ((error: SessionError) => void) | undefined
}

const CHANGES_NOTHING: ReadonlySet<string> = new Set(['ready', 'load', 'list', 'sessionsOf'])

/**
 * Deadlines for calls that all may take equally long: one timer for any number of calls, since the
 * oldest is always the next to fall due.
 */
export class Deadlines {
  readonly #after: number
  readonly #who: string
  readonly #queue: Waiting[] = []
  #head = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * @param after - ms that a call may take
   * @param who - who did not answer, for the message: `Redis`
   */
  constructor(after: number, who: string) {
    this.#after = after
    this.#who = who
  }

  /**
   * Settles as `call` does, or throws `ERR_SESSION_TIMEOUT` once the time is up. The call itself
   * cannot be taken back: what it still does later is not known to the caller.
   */
  limit<T>(verb: string, call: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { dueAt: performance.now() + this.#after, verb, fail: reject }
      this.#enqueue(waiting)
      call.then(
        (value) => {
          waiting.fail = undefined
          resolve(value)
        },
        (error: unknown) => {
          waiting.fail = undefined
          reject(error)
        },
      )
    })
  }

  #enqueue(waiting: Waiting): void {
    this.#dropSettled()
    this.#queue.push(waiting)
    if (this.#timer === undefined) this.#arm(this.#after)
  }

  #arm(delay: number): void {
    this.#timer = setTimeout(() => this.#expire(), delay)
    this.#timer.unref()
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const waiting of this.#queue.slice(this.#head)) {
      if (waiting.dueAt > now) break
      waiting.fail?.(this.#timeout(waiting.verb))
      waiting.fail = undefined
    }
    this.#dropSettled()
    const next = this.#queue[this.#head]
    if (next !== undefined) this.#arm(Math.max(1, next.dueAt - now))
  }

  #dropSettled(): void {
    while (this.#head < this.#queue.length && this.#queue[this.#head]?.fail === undefined)
      this.#head++
    if (this.#head === this.#queue.length || this.#head > 1024) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
  }

  #timeout(verb: string): SessionError {
    return new SessionError(
      'ERR_SESSION_TIMEOUT',
      `${this.#who} did not answer ${verb} within ${this.#after} ms. ${adviceFor(verb)}`,
    )
  }
}

function adviceFor(verb: string): string {
  return CHANGES_NOTHING.has(verb)
    ? 'See whether it runs, can be reached there and is not overloaded.'
    : 'Whether it was done is not known; try again.'
}
