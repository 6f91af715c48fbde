import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../../errors.ts'
import type { SessionStore, StoreCapabilities } from '../../store.ts'

/** A store whose calls take time, can fail and are counted. */
export class TroubledStore implements SessionStore {
  readonly #inner: SessionStore
  /** ms that every call takes beyond its own. */
  delay: number
  /** True while the store cannot be reached. */
  down = false
  /** Verbs that were called, in order. */
  readonly calls: string[] = []
  /** Sees what every call is given. */
  spy: ((given: readonly unknown[]) => void) | undefined

  constructor(inner: SessionStore, delay: number) {
    this.#inner = inner
    this.delay = delay
  }

  get capabilities(): StoreCapabilities {
    return this.#inner.capabilities
  }

  load(...call: Parameters<SessionStore['load']>): ReturnType<SessionStore['load']> {
    return this.#read('load', call, () => this.#inner.load(...call))
  }

  create(...call: Parameters<SessionStore['create']>): ReturnType<SessionStore['create']> {
    return this.#call('create', call, () => this.#inner.create(...call))
  }

  commit(...call: Parameters<SessionStore['commit']>): ReturnType<SessionStore['commit']> {
    return this.#call('commit', call, () => this.#inner.commit(...call))
  }

  destroy(...call: Parameters<SessionStore['destroy']>): ReturnType<SessionStore['destroy']> {
    return this.#call('destroy', call, () => this.#inner.destroy(...call))
  }

  swap(...call: Parameters<SessionStore['swap']>): ReturnType<SessionStore['swap']> {
    return this.#call('swap', call, () => this.#inner.swap(...call))
  }

  take(...call: Parameters<SessionStore['take']>): ReturnType<SessionStore['take']> {
    return this.#call('take', call, () => this.#inner.take(...call))
  }

  async close(): Promise<void> {
    await this.#inner.close?.()
  }

  // A read sees the store as it was asked, a write takes effect when it is answered: whoever is told
  // too early that something was stored reads the old state.
  async #read<T>(verb: string, given: readonly unknown[], read: () => Promise<T>): Promise<T> {
    this.#begin(verb, given)
    const answer = await read()
    await this.#wait()
    return answer
  }

  async #call<T>(verb: string, given: readonly unknown[], write: () => Promise<T>): Promise<T> {
    this.#begin(verb, given)
    await this.#wait()
    return write()
  }

  #begin(verb: string, given: readonly unknown[]): void {
    this.calls.push(verb)
    this.spy?.(given)
    if (!this.down) return
    const message = `The store cannot be reached for ${verb}. Try again.`
    throw new SessionError('ERR_SESSION_STORE', message)
  }

  async #wait(): Promise<void> {
    if (this.delay > 0) await sleep(this.delay)
  }
}
