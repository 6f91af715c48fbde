import { EncryptedStore } from '../../../src/stores/encrypted.ts'
import type { SessionStore } from '../../../src/store.ts'
import type { StartedEngine } from '../engines.ts'
import { startSqliteEngine } from './sqlite.ts'

/** The key of the processes that are checked, and of no others. */
export const keys = 'uQ8vX2mT5yR0wZ3bK6nP9sD1fG4hJ7lC'

/** An SQLite file in which every value is encrypted. Its dump is of no use: nothing can be found in it. */
export async function startEncryptedEngine(): Promise<StartedEngine> {
  const { options, stop } = await startSqliteEngine()
  const { engine } = options
  const wrap = async (inner?: SessionStore | Promise<SessionStore>): Promise<SessionStore> =>
    new EncryptedStore((await inner) ?? (await options.store()), { keys })
  return {
    options: {
      ...options,
      store: () => wrap(options.store()),
      worker: new URL('../workers/encrypted.ts', import.meta.url),
      engine: {
        corrupt: async (id) => engine?.corrupt?.(id),
        immortal: async () => (await engine?.immortal?.()) ?? [],
        elsewhere: () => wrap(engine?.elsewhere?.()),
      },
    },
    stop,
  }
}
