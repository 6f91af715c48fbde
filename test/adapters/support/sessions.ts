import { TroubledStore } from '../../../src/conformance/adapter-checks/store.ts'
import { SessionManager } from '../../../src/manager.ts'
import { MemoryStore } from '../../../src/stores/memory.ts'

/** A manager over a store that can be stopped. */
export function testSessions(): { sessions: SessionManager; store: TroubledStore } {
  const store = new TroubledStore(new MemoryStore(), 0)
  return {
    sessions: new SessionManager({ secret: 'a secret for tests of adapters only', store }),
    store,
  }
}

/** The Cookie header that answers Set-Cookie lines. */
export function cookieOf(lines: string | readonly string[] | undefined): string {
  return [lines ?? []]
    .flat()
    .map((line) => line.split(';')[0])
    .join('; ')
}
