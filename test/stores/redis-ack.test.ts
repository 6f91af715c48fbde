import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { SessionId } from '../../src/store.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { bucketOf, TAGS } from '../../src/stores/redis/keys.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'
import { clustered, single } from '../support/redis-clients.ts'
import type { Connected } from '../support/redis-clients.ts'
import { ask, startRedisCluster } from '../support/redis-cluster.ts'
import type { RedisCluster } from '../support/redis-cluster.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

const DEADLINE = 400
const AT_ONCE = ['--repl-diskless-sync-delay', '0']
const patience = { timeout: 20_000 }

let primary: RedisServer
let replica: RedisServer
let cluster: RedisCluster
let follower: RedisServer
let directory: string

beforeAll(async () => {
  ;[primary, cluster] = await Promise.all([startRedis({ args: AT_ONCE }), startRedisCluster()])
  replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] })
  directory = await mkdtemp(join(tmpdir(), 'sojourn-follower-'))
  follower = await startFollower(cluster.nodes[0]!)
  await vi.waitUntil(() => follows(primary), patience)
  await vi.waitUntil(() => follows(cluster.nodes[0]!), patience)
  for (const { port } of cluster.nodes) await vi.waitUntil(() => knowsOfReplica(port), patience)
}, 60_000)

afterAll(async () => {
  await Promise.all([replica?.stop(), follower?.stop()])
  await Promise.all([primary?.stop(), cluster?.stop()])
  await rm(directory, { recursive: true, force: true })
})

const NO_REPLICA = withCode('ERR_SESSION_TIMEOUT', 'no replica acknowledged it within 200 ms')

describe.each(Object.entries(single))('with %s', (_name, connect) => {
  test('a write is answered when a replica has it, and not before', async () => {
    const waiting = waitsForTheReplica(await connect([primary]), { anyId: newId, replica })
    await expect(waiting).resolves.toBeUndefined()
  })
})

test('with an address, too, a write is answered when a replica has it', async () => {
  const client = { host: primary.host, port: primary.port }
  const connected = { client: client as never, close: async () => {} }
  const waiting = waitsForTheReplica(connected, { anyId: newId, replica })
  await expect(waiting).resolves.toBeUndefined()
})

describe.each(Object.entries(clustered))('with a cluster of %s', (_name, connect) => {
  test('a write is answered when a replica of its own primary has it', async () => {
    const connected = await connect(cluster.nodes)
    const waiting = waitsForTheReplica(connected, { anyId: () => idOn(0), replica: follower })
    await expect(waiting).resolves.toBeUndefined()
  })

  test('a primary without a replica is no success', async () => {
    const connected = await connect(cluster.nodes)
    const store = new RedisStore(connected.client, { ack: 'replica', deadline: DEADLINE })
    for (const node of [1, 2]) {
      await expect(store.create(idOn(node), newRecord())).rejects.toEqual(NO_REPLICA)
    }
    await store.close()
    await connected.close()
  })
})

interface Replicated {
  readonly anyId: () => SessionId
  readonly replica: RedisServer
}

async function waitsForTheReplica(
  connected: Connected,
  { anyId, replica }: Replicated,
): Promise<void> {
  const store = new RedisStore(connected.client, { ack: 'replica', deadline: DEADLINE })
  const [id, other] = [anyId(), anyId()]
  await expect
    .poll(() => store.create(anyId(), newRecord()).catch(() => false), patience)
    .toBe(true)
  expect(await store.create(id, newRecord())).toBe(true)
  expect(await store.commit(id, newChange({ set: new Map([['b', '2']]) }))).toMatchObject({})
  replica.pause()
  try {
    const change = newChange({ set: new Map([['b', '3']]) })
    await expect(store.commit(id, change)).rejects.toEqual(NO_REPLICA)
    await expect(store.swap(id, 'a', '"1"', '"2"')).rejects.toEqual(NO_REPLICA)
    await expect(store.take(id, 'a')).rejects.toEqual(NO_REPLICA)
    await expect(store.create(other, newRecord())).rejects.toEqual(NO_REPLICA)
    await expect(store.destroy(other)).rejects.toEqual(NO_REPLICA)
    // What writes nothing needs nobody, nor do reads and touches.
    expect(await store.create(id, newRecord())).toBe(false)
    expect(await store.commit(other, newChange())).toBe('gone')
    expect((await store.load(id, newTouch()))?.values.get('b')).toBe('3')
  } finally {
    replica.resume()
  }
  await expect.poll(() => store.destroy(id).catch(() => false), patience).toBe(true)
  await store.close()
  await connected.close()
}

/** An id whose bucket is on a node of the cluster. */
function idOn(node: number): SessionId {
  const share = TAGS.length / 3
  for (;;) {
    const id = newId()
    if (Math.floor(bucketOf(id) / share) === node) return id
  }
}

async function follows(server: RedisServer): Promise<boolean> {
  return /slave0:.*state=online/.test(await ask(server.port, 'INFO replication'))
}

async function knowsOfReplica(port: number): Promise<boolean> {
  return / slave /.test(await ask(port, 'CLUSTER NODES'))
}

/** A replica of a node of the cluster. */
async function startFollower(node: RedisServer): Promise<RedisServer> {
  await ask(node.port, 'CONFIG SET repl-diskless-sync-delay 0')
  const server = await startRedis({
    directory,
    args: ['--cluster-enabled', 'yes', '--cluster-config-file', 'follower.conf'],
  })
  await ask(server.port, `CLUSTER MEET 127.0.0.1 ${node.port}`)
  const id = (await ask(node.port, 'CLUSTER MYID')).split('\r\n')[1] ?? ''
  await vi.waitFor(() => ask(server.port, `CLUSTER REPLICATE ${id}`), patience)
  return server
}
