type State =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly until: number }
  | { readonly kind: 'probing' }

const CLOSED: State = { kind: 'closed', failures: 0 }

/**
 * Keeps calls from a store that is down: after some failures in a row every call is refused at once,
 * until one call is let through to see whether the store is back.
 */
export class Breaker {
  readonly #most: number
  readonly #pause: number
  #state: State = CLOSED

  /**
   * @param most - failures in a row that open it
   * @param pause - ms until a call is let through again
   */
  constructor(most = 5, pause = 1000) {
    this.#most = most
    this.#pause = pause
  }

  /** True while calls need not ask what time it is. */
  get isClosed(): boolean {
    return this.#state.kind === 'closed'
  }

  /** True if the last call has not failed. */
  get isUntroubled(): boolean {
    return this.#state === CLOSED
  }

  /** Whether a call may be made now. One that was let through must be reported. */
  admits(now: number): boolean {
    if (this.#state.kind === 'closed') return true
    if (this.#state.kind === 'probing' || now < this.#state.until) return false
    this.#state = { kind: 'probing' }
    return true
  }

  succeeded(): void {
    this.#state = CLOSED
  }

  /** A failure that speaks of the store, not of the call. */
  failed(now: number): void {
    const failures = this.#state.kind === 'closed' ? this.#state.failures + 1 : this.#most
    const open = failures >= this.#most
    this.#state = open ? { kind: 'open', until: now + this.#pause } : { kind: 'closed', failures }
  }
}
