/** Stops a peer from sending more than can be kept while messages wait. */
export interface Valve {
  pause(): void
  resume(): void
}

interface Waiting {
  readonly deliver: () => void
  ready: boolean
}

/**
 * Lets the messages of one connection through in their order: at once, or when what they wait for is
 * known. Once it is shut nothing is delivered any more.
 */
export class Gate {
  readonly #valve: Valve
  #waiting: Waiting[] = []
  #shut = false
  #last: (() => void) | undefined

  constructor(valve: Valve) {
    this.#valve = valve
  }

  /** @param until - is waited for first; it must not reject */
  pass(deliver: () => void, until?: Promise<unknown>): void {
    if (this.#shut) return
    if (until === undefined && this.#waiting.length === 0) return deliver()
    if (this.#waiting.length === 0) this.#valve.pause()
    const one: Waiting = { deliver, ready: until === undefined }
    this.#waiting.push(one)
    void until?.then(() => {
      one.ready = true
      this.#flush()
    })
  }

  /** Runs `last` when no message waits any more. */
  finish(last: () => void): void {
    this.#last = last
    this.#flush()
  }

  /** Drops what waits, and everything that comes later. */
  shut(): void {
    this.#shut = true
    if (this.#waiting.length > 0) this.#valve.resume()
    this.#waiting = []
    this.#flush()
  }

  #flush(): void {
    const waited = this.#waiting.length > 0
    while (this.#waiting[0]?.ready === true) deliverSafely(this.#waiting.shift()?.deliver)
    if (this.#waiting.length > 0) return
    if (waited) this.#valve.resume()
    const last = this.#last
    this.#last = undefined
    last?.()
  }
}

// What a listener throws is its own; the messages behind still come.
function deliverSafely(deliver: (() => void) | undefined): void {
  try {
    deliver?.()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
