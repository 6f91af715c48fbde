import type { SessionEvent } from '../../src/events.ts'
import { SessionManager } from '../../src/manager.ts'
import type { SessionOptions } from '../../src/options.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { CountingStore } from './counting-store.ts'
import { Visitor } from './visitor.ts'

export const SECRET = 'a secret of the tests, long enough to be one'
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/** A manager over a counted memory store, with a clock that the test moves, and a first visitor. */
export class Stage {
  now = Date.UTC(2026, 0, 1)
  readonly events: SessionEvent[] = []
  readonly store: CountingStore = new CountingStore(new MemoryStore({ now: () => this.now }))
  readonly sessions: SessionManager = this.manage()
  readonly alice: Visitor = new Visitor(this.sessions)

  /** Another manager over the same store. */
  manage(options: SessionOptions = {}): SessionManager {
    return new SessionManager({
      secret: SECRET,
      store: this.store,
      now: () => this.now,
      observe: (event) => this.events.push(event),
      ...options,
    })
  }

  /** The types of all events so far. */
  types(): string[] {
    return this.events.map(({ type }) => type)
  }
}
