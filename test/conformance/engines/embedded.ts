import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'lmdb'
import type { EngineAccess } from '../../../src/conformance/index.ts'
import { EmbeddedStore } from '../../../src/stores/embedded.ts'
import { type EmbeddedTables, openTables } from '../../support/embedded-tables.ts'
import type { StartedEngine } from '../engines.ts'

/** An embedded engine that keeps a log. The rounds are fewer: what races is the same without it. */
export async function startToldEmbeddedEngine(): Promise<StartedEngine> {
  const { options, stop } = await startEmbeddedEngine(true)
  return { options: { ...options, rounds: 25 }, stop }
}

/** An embedded engine in a directory of its own. */
export async function startEmbeddedEngine(events = false): Promise<StartedEngine> {
  const path = await mkdtemp(join(tmpdir(), 'sojourn-kit-'))
  await createFile(path)
  const tables = openTables(path)
  return {
    options: {
      store: () => new EmbeddedStore({ path, events }),
      worker: new URL('../workers/embedded.ts', import.meta.url),
      env: { KIT_EMBEDDED_PATH: path, KIT_EMBEDDED_EVENTS: events ? 'yes' : 'no' },
      engine: {
        ...accessTo(tables),
        elsewhere: () => new EmbeddedStore({ path: join(path, 'elsewhere') }),
      },
    },
    stop: async () => {
      await tables.close()
      await rm(path, { recursive: true })
    },
  }
}

async function createFile(path: string): Promise<void> {
  const store = new EmbeddedStore({ path })
  await store.ready()
  await store.close()
}

function accessTo(tables: EmbeddedTables): EngineAccess {
  const { records, expiries, users } = tables
  return {
    dump: async () => [...linesOf(records), ...linesOf(expiries), ...linesOf(users)].join('\n'),
    immortal: async () => {
      const swept = new Set(Array.from(expiries.getKeys(), ([, id]) => id))
      const ids = [...records.getKeys(), ...Array.from(users.getKeys(), ([, id]) => id)]
      return ids.filter((id) => !swept.has(id))
    },
    corrupt: (id) => tables.write(() => records.putSync(id, Buffer.from('no record'))),
    fromTheFuture: (id) =>
      tables.write(() => {
        const bytes = records.get(id) ?? Buffer.alloc(2)
        bytes[1] = 99
        records.putSync(id, bytes)
      }),
  }
}

function linesOf<Key extends string | (string | number)[]>(table: Database<Buffer, Key>): string[] {
  return Array.from(table.getRange(), ({ key, value }) => `${JSON.stringify(key)} ${String(value)}`)
}
