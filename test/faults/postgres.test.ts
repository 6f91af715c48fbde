import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { duringFault, expectNothingWrong, underWrongClocks } from './figures.ts'

vi.setConfig({ testTimeout: 90_000 })

let server: PostgresServer
let pool: Pool
let store: PostgresStore
let witness: PostgresStore

beforeAll(async () => {
  server = await startPostgres()
  pool = new Pool({ connectionString: server.url, max: 8 })
  store = new PostgresStore(pool, { deadline: '1s' })
  witness = new PostgresStore(pool)
  await witness.migrate()
})

afterAll(async () => {
  server?.resume()
  await pool?.end()
  await server?.stop()
})

test('killed and restarted: what was acknowledged is there', async () => {
  const scene = { engine: 'postgres', what: 'killed and restarted', stores: [store], witness }
  const figures = await duringFault(scene, async (load) => {
    await server.kill()
    await load.failed(5)
    await server.start()
  })
  expectNothingWrong(figures)
  expect(figures.failed).toBeGreaterThan(0)
  expect(figures.gone).toBe(0)
})

test('restarted in order: requests fail meanwhile, and nothing is lost', async () => {
  const scene = { engine: 'postgres', what: 'restarted in order', stores: [store], witness }
  const figures = await duringFault(scene, () => server.restart())
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})

test('frozen: every request ends by the deadline, and nothing is lost', async () => {
  const scene = { engine: 'postgres', what: 'frozen', stores: [store], witness }
  const figures = await duringFault(scene, async (load) => {
    server.pause()
    await load.failed(5)
    server.resume()
  })
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})

test('answers lost: what was applied is applied once, and no answer is made up', async () => {
  const proxy = await startCuttingProxy(server)
  const connectionString = server.url.replace(`:${server.port}`, `:${proxy.port}`)
  const behind = new Pool({ connectionString, max: 4 })
  const stores = [new PostgresStore(behind, { deadline: '1s' })]
  const scene = { engine: 'postgres', what: 'ten answers lost', stores, witness }
  const figures = await duringFault(scene, async (load) => {
    for (let round = 0; round < 10; round++) {
      proxy.cutNextReply()
      await load.failed(1)
    }
  })
  await behind.end()
  await proxy.close()
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})

test('two processes whose clocks are ten minutes apart lose nothing to each other', async () => {
  const figures = await underWrongClocks('postgres', { KIT_POSTGRES_URL: server.url }, witness)
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})
