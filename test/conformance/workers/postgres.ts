import { Pool } from 'pg'
import type { SessionStore } from '../../../src/store.ts'
import { PostgresStore } from '../../../src/stores/postgres.ts'

export function store(): SessionStore {
  return new PostgresStore(new Pool({ connectionString: process.env['KIT_POSTGRES_URL'], max: 8 }))
}
