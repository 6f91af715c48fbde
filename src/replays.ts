import type { SessionId, SessionStore, StoreEvent } from './store.ts'

const PAUSE = 60_000
const MOST = 1_000

/**
 * Tells the store of old credentials that were presented, so that other processes hear of them. The
 * request does not wait for it. A client that keeps sending one is told of once in a minute.
 */
export class Replays {
  readonly #store: SessionStore
  readonly #told = new Map<SessionId, number>()

  constructor(store: SessionStore) {
    this.#store = store
  }

  tell(id: SessionId, at: number, user: string | undefined): void {
    const { events = 'none' } = this.#store.capabilities
    if (events === 'none' || this.#wasTold(id, at)) return
    const event: StoreEvent = { type: 'replayed', id, at, ...(user !== undefined && { user }) }
    // A failure is told as `store-failed`; nothing else depends on it.
    this.#store.tell?.(event).catch(() => undefined)
  }

  #wasTold(id: SessionId, at: number): boolean {
    const told = this.#told.get(id)
    if (told !== undefined && Math.abs(at - told) < PAUSE) return true
    if (this.#told.size >= MOST) this.#told.clear()
    this.#told.set(id, at)
    return false
  }
}
