import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { isSessionError } from '../../src/errors.ts'
import type { SessionId } from '../../src/store.ts'
import { MemcachedStore } from '../../src/stores/memcached.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { type MemcachedServer, startMemcached } from '../support/memcached.ts'
import { newId, newRecord } from '../support/records.ts'
import { answers, duringFault, expectNothingWrong, underWrongClocks } from './figures.ts'

vi.setConfig({ testTimeout: 90_000 })

let server: MemcachedServer
let store: MemcachedStore
let witness: MemcachedStore

beforeAll(async () => {
  server = await startMemcached()
  store = new MemcachedStore({ servers: [server.address], deadline: '1s' })
  witness = new MemcachedStore({ servers: [server.address] })
})

afterAll(async () => {
  server?.resume()
  await Promise.all([store?.close(), witness?.close()])
  await server?.stop()
})

test('killed and restarted: it has forgotten everything, says so, and keeps what comes then', async () => {
  const scene = { engine: 'memcached', what: 'killed and restarted', stores: [store], witness }
  const figures = await duringFault(scene, async (load) => {
    await server.kill()
    await load.failed(5)
    await server.start()
    await answers(store)
    await load.beginAnew()
  })
  expectNothingWrong(figures)
  expect(figures.failed).toBeGreaterThan(0)
  expect(figures.forgotten).toBeGreaterThan(0)
})

test('frozen: every request ends by the deadline, and nothing is lost', async () => {
  const scene = { engine: 'memcached', what: 'frozen', stores: [store], witness }
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
  const behind = new MemcachedStore({
    servers: [`${proxy.host}:${proxy.port}`],
    deadline: '1s',
  })
  const scene = { engine: 'memcached', what: 'ten answers lost', stores: [behind], witness }
  const figures = await duringFault(scene, async (load) => {
    for (let round = 0; round < 10; round++) {
      proxy.cutNextReply()
      await load.failed(1)
    }
  })
  await behind.close()
  await proxy.close()
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})

// Memcached drops an item that it has no room to replace: such a session is gone, which is told.
test('out of memory: writes fail, sessions may go, and with room everything is kept again', async () => {
  const small = await startMemcached({ args: ['-m', '2', '-M'] })
  const full = new MemcachedStore({ servers: [small.address], deadline: '1s' })
  const scene = { engine: 'memcached', what: 'out of memory', stores: [full], witness: full }
  const figures = await duringFault(scene, async (load) => {
    const filling = await fill(full)
    await load.failed(20)
    for (const id of filling) await full.destroy(id)
    await load.beginAnew()
  })
  await full.close()
  await small.stop()
  expectNothingWrong(figures)
  expect(figures.failed).toBeGreaterThan(0)
})

test('two processes whose clocks are ten minutes apart lose nothing to each other', async () => {
  const env = { KIT_MEMCACHED_SERVER: server.address }
  const figures = await underWrongClocks('memcached', env, witness)
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})

/** Makes sessions as large as those of the load until there is no room. */
async function fill(full: MemcachedStore): Promise<SessionId[]> {
  const made: SessionId[] = []
  for (let tries = 0; tries < 100_000; tries++) {
    const id = newId()
    try {
      await full.create(id, newRecord())
      made.push(id)
    } catch (error) {
      if (!isSessionError(error)) throw error
      return made
    }
  }
  throw new Error('The server is not full.')
}
