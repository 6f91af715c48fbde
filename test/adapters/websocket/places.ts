import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { PostgresStore } from '../../../src/stores/postgres.ts'
import { startPostgres } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import type { Place } from './other-process.ts'

/** A server or a file of a test, and how it ends. */
export async function placeOf(engine: Place['engine']): Promise<[Place, () => Promise<void>]> {
  if (engine === 'redis' || engine === 'postgres') {
    const server = await (engine === 'redis' ? startRedis() : startPostgres())
    const pool = new Pool({ connectionString: server.url, max: 1 })
    if (engine === 'postgres') await new PostgresStore(pool).migrate()
    await pool.end()
    return [{ engine, at: server.url }, () => server.stop()]
  }
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-live-'))
  const end = (): Promise<void> => rm(directory, { recursive: true, force: true })
  return [{ engine, at: join(directory, 'sessions') }, end]
}
