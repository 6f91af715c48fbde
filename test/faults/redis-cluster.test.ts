import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { RedisStore } from '../../src/stores/redis.ts'
import { clustered, type Connected } from '../support/redis-clients.ts'
import { ask, idOf, type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import type { RedisServer } from '../support/redis.ts'
import { duringFaults, expectNothingWrong, type Scene } from './figures.ts'
import { AS_REPLICATION_ALLOWS } from './redis-replication.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const clients: Connected[] = []
let cluster: RedisCluster
let stores: ReadonlyMap<string, RedisStore>

beforeAll(async () => {
  cluster = await startRedisCluster(3, 1)
  const connected = Object.entries(clustered).map(async ([kind, connect]) => {
    const client = await connect(cluster.nodes)
    clients.push(client)
    return [kind, new RedisStore(client.client, { deadline: '1s' })] as const
  })
  stores = new Map(await Promise.all(connected))
})

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await cluster?.stop()
})

function scenes(what: string): Scene[] {
  const witness = stores.get('node-redis')
  if (witness === undefined) throw new TypeError('There is no node-redis.')
  return [...stores].map(([kind, store]) => {
    const engine = `redis cluster, ${kind}`
    return { engine, what, stores: [store], witness, load: { writers: 6 } }
  })
}

test('slots moved to another node: every client follows, and nothing is lost', async () => {
  const [from, to] = cluster.nodes
  let moved = 0
  const all = await duringFaults(scenes('slots moved'), async () => {
    moved = await reshard(from!, to!)
  })
  console.log(`${moved} slots with sessions moved while they were used`)
  expect(moved).toBeGreaterThan(0)
  for (const figures of all) {
    expectNothingWrong(figures)
    expect(figures.gone).toBe(0)
  }
})

test('a primary killed: its replica takes over, and every client goes on there', async () => {
  const replica = cluster.nodes[3 + 2]
  const all = await duringFaults(
    scenes('primary killed').map((scene) => ({ ...scene, ...AS_REPLICATION_ALLOWS })),
    async (loads) => {
      await cluster.nodes[2]?.kill()
      await Promise.all(loads.map((load) => load.failed(3)))
      const role = (): Promise<string> => ask(replica!.port, 'ROLE')
      await expect.poll(role, { timeout: 40_000 }).toContain('master')
    },
  )
  for (const figures of all) expectNothingWrong(figures)
})

/** Moves every slot that has keys from a node to another one, a few keys at a time. */
async function reshard(from: RedisServer, to: RedisServer): Promise<number> {
  const [source, target] = [createClient({ url: from.url }), createClient({ url: to.url })]
  await Promise.all([source.connect(), target.connect()])
  const ids = { source: await idOf(from.port), target: await idOf(to.port) }
  const keys = await source.sendCommand<string[]>(['KEYS', '*'])
  const slots = new Set(
    await Promise.all(keys.map((key) => source.sendCommand<number>(['CLUSTER', 'KEYSLOT', key]))),
  )
  for (const slot of slots) {
    const set = ['CLUSTER', 'SETSLOT', `${slot}`]
    await target.sendCommand([...set, 'IMPORTING', ids.source])
    await source.sendCommand([...set, 'MIGRATING', ids.target])
    await moveKeys(source, slot, to.port)
    await target.sendCommand([...set, 'NODE', ids.target])
    await source.sendCommand([...set, 'NODE', ids.target])
  }
  source.destroy()
  target.destroy()
  return slots.size
}

interface Node {
  sendCommand<T>(args: string[]): Promise<T>
}

async function moveKeys(source: Node, slot: number, port: number): Promise<void> {
  const find = ['CLUSTER', 'GETKEYSINSLOT', `${slot}`, '3']
  for (;;) {
    const keys = await source.sendCommand<string[]>(find)
    await sleep(3)
    if (keys.length === 0) return
    const where = ['MIGRATE', '127.0.0.1', `${port}`, '', '0', '5000', 'KEYS']
    await source.sendCommand([...where, ...keys])
  }
}
