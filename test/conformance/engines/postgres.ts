import { Pool } from 'pg'
import type { EngineAccess } from '../../../src/conformance/index.ts'
import { PostgresStore } from '../../../src/stores/postgres.ts'
import { startCuttingProxy } from '../../support/cutting-proxy.ts'
import { type PostgresServer, startPostgres } from '../../support/postgres.ts'
import type { StartedEngine } from '../engines.ts'

/** A PostgreSQL of its own, behind a proxy for this process. */
export async function startPostgresEngine(): Promise<StartedEngine> {
  const server = await startPostgres()
  const proxy = await startCuttingProxy(server)
  const admin = new Pool({ connectionString: server.url })
  const connectionString = server.url.replace(`:${server.port}`, `:${proxy.port}`)
  const pool = new Pool({ connectionString, max: 8 })
  await new PostgresStore(admin).migrate()
  await new PostgresStore(admin, { table: 'elsewhere' }).migrate()
  return {
    options: {
      store: () => new PostgresStore(pool),
      worker: new URL('../workers/postgres.ts', import.meta.url),
      env: { KIT_POSTGRES_URL: server.url },
      engine: {
        ...accessTo(admin),
        ...faultsOf(server),
        elsewhere: () => new PostgresStore(pool, { table: 'elsewhere' }),
        cutNextReply: async () => proxy.cutNextReply(),
      },
    },
    stop: async () => {
      await Promise.all([pool.end(), admin.end()])
      await proxy.close()
      await server.stop()
    },
  }
}

function accessTo(admin: Pool): EngineAccess {
  return {
    dump: async () => {
      const { rows } = await admin.query('SELECT t::text AS row FROM sojourn_sessions AS t')
      return rows.map(({ row }) => row).join('\n')
    },
    // A row without an end could not be stored: the column is NOT NULL.
    immortal: async () => [],
    corrupt: async (id) => {
      await admin.query(`UPDATE sojourn_sessions SET data = '{"a": [1]}' WHERE id = $1`, [id])
    },
    fromTheFuture: async (id) => {
      await admin.query('UPDATE sojourn_sessions SET format = 99 WHERE id = $1', [id])
    },
  }
}

function faultsOf(server: PostgresServer): EngineAccess {
  return { stop: async () => server.pause(), start: async () => server.resume() }
}
