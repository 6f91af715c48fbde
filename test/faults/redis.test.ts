import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { RedisStore } from '../../src/stores/redis.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { ask } from '../support/redis-cluster.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { answers, duringFault, expectNothingWrong, underWrongClocks } from './figures.ts'

vi.setConfig({ testTimeout: 90_000 })

let server: RedisServer
let store: RedisStore
let witness: RedisStore

beforeAll(async () => {
  server = await startRedis({ persistent: true })
  store = new RedisStore({ url: server.url }, { deadline: '1s' })
  witness = new RedisStore({ url: server.url })
  await Promise.all([answers(store), answers(witness)])
})

afterAll(async () => {
  server?.resume()
  await Promise.all([store?.close(), witness?.close()])
  await server?.stop()
})

test('killed and restarted: what was acknowledged is there', async () => {
  const scene = { engine: 'redis', what: 'killed and restarted', stores: [store], witness }
  const figures = await duringFault(scene, async (load) => {
    await server.kill()
    await load.failed(5)
    await server.start()
  })
  expectNothingWrong(figures)
  expect(figures.failed).toBeGreaterThan(0)
  expect(figures.gone).toBe(0)
})

test('frozen: every request ends by the deadline, and nothing is lost', async () => {
  const scene = { engine: 'redis', what: 'frozen', stores: [store], witness }
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
  const behind = new RedisStore({ host: proxy.host, port: proxy.port }, { deadline: '1s' })
  const scene = { engine: 'redis', what: 'ten answers lost', stores: [behind], witness }
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

test('out of memory: writes fail, and nothing that was acknowledged goes', async () => {
  const scene = { engine: 'redis', what: 'out of memory', stores: [store], witness }
  const figures = await duringFault(scene, async (load) => {
    await ask(server.port, 'CONFIG SET maxmemory 1')
    await load.failed(20)
    await ask(server.port, 'CONFIG SET maxmemory 0')
  })
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})

test('two processes whose clocks are ten minutes apart lose nothing to each other', async () => {
  const figures = await underWrongClocks('redis', { KIT_REDIS_URL: server.url }, witness)
  expectNothingWrong(figures)
  expect(figures.gone).toBe(0)
})
