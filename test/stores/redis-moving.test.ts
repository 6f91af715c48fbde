import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SessionId, StoreEvent } from '../../src/store.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { bucketOf, Keys } from '../../src/stores/redis/keys.ts'
import { HOUR, newChange, newId, newRecord } from '../support/records.ts'
import { clustered } from '../support/redis-clients.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import type { RedisCluster } from '../support/redis-cluster.ts'

type Client = ReturnType<typeof createClient>

const keys = new Keys('sojourn:')
const patience = { timeout: 20_000 }

let cluster: RedisCluster
let clients: Client[]

beforeAll(async () => {
  cluster = await startRedisCluster()
  clients = await Promise.all(
    cluster.nodes.map(({ url }) => createClient({ url }).connect() as Promise<Client>),
  )
})

afterAll(async () => {
  for (const client of clients ?? []) client.destroy()
  await cluster?.stop()
})

// GLIDE asks again by itself while a slot moves, and gives up after its own time without saying why.
const telling = Object.entries(clustered).filter(([name]) => name !== 'GLIDE')

describe.each(telling)('with a cluster of %s', (name, connect) => {
  // Each has a bucket of the first node of its own.
  const bucket = Object.keys(clustered).indexOf(name)

  test('every verb works while the slot of the session moves', { timeout: 60_000 }, async () => {
    const connected = await connect(cluster.nodes)
    const store = new RedisStore(connected.client, { deadline: '10s' })
    const [first, second, third, fourth] = idsIn(bucket, 4) as [
      SessionId,
      SessionId,
      SessionId,
      SessionId,
    ]
    const heard: StoreEvent[] = []
    const stop = await store.watch((event) => void heard.push(event))
    for (const id of [first, second]) await store.create(id, newRecord({ user: `user ${name}` }))
    const move = await Move.begin(keys.record(first))
    expect(await store.create(third, newRecord())).toBe(true)
    expect(await store.create(third, newRecord())).toBe(false)
    const deadline = Date.now() + 48 * HOUR
    const login = newChange({ user: `user ${name}`, deadline, rotate: 'fence' })
    expect(await store.commit(third, login)).toMatchObject({ generation: 1 })
    expect(await store.commit(first, newChange({ rotate: 'renew' }))).toMatchObject({
      generation: 1,
    })
    expect(await store.destroy(second)).toBe(true)
    expect(await store.destroy(second)).toBe(false)
    expect(await store.sessionsOf(`user ${name}`)).toHaveLength(2)
    expect(await listed(store)).toEqual(expect.arrayContaining([first, third]))
    expect(await listed(store)).not.toContain(second)

    await move.one(keys.record(first))
    expect(await store.commit(first, newChange({ generation: 1, user: null }))).toMatchObject({})
    expect(await store.create(fourth, newRecord({ user: `user ${name}` }))).toBe(true)
    expect((await store.load(fourth))?.user).toBe(`user ${name}`)
    expect(new Set(await store.sessionsOf(`user ${name}`))).toEqual(new Set([third, fourth]))

    await move.end()
    expect(await store.swap(third, 'a', '"1"', '"2"')).toBe(true)
    expect(await store.destroy(fourth)).toBe(true)
    const found = await listed(store)
    expect(found.filter((id) => [first, third].includes(id))).toHaveLength(2)
    expect(found).not.toContain(fourth)
    const typesOf = (id: SessionId): string[] =>
      heard.filter((event) => event.id === id).map(({ type }) => type)
    await expect.poll(() => typesOf(fourth), patience).toEqual(['created', 'destroyed'])
    expect(typesOf(first)).toEqual(['created', 'renewed', 'elevated'])
    expect(typesOf(second)).toEqual(['created', 'destroyed'])
    expect(typesOf(third)).toEqual(['created', 'elevated'])
    await stop()
    await store.close()
    await connected.close()
  })

  test('a login waits until the slot of the user has moved', { timeout: 60_000 }, async () => {
    const connected = await connect(cluster.nodes)
    const store = new RedisStore(connected.client, { deadline: '10s' })
    const user = `another user ${name}`
    const { sessions, fresh } = keys.user(user)
    await store.create(newId(), newRecord({ user }))
    const move = await Move.begin(sessions)
    await move.one(fresh)
    const login = store.create(newId(), newRecord({ user }))
    await sleep(50)
    await move.end()
    expect(await login).toBe(true)
    expect(await store.sessionsOf(user)).toHaveLength(2)
    await store.close()
    await connected.close()
  })
})

/** The move of one slot of the cluster to another node. */
class Move {
  readonly #slot: number
  readonly #from: Client
  readonly #to: Client

  private constructor(slot: number, from: Client, to: Client) {
    this.#slot = slot
    this.#from = from
    this.#to = to
  }

  /** Begins to move the slot of a key. */
  static async begin(key: string): Promise<Move> {
    const slot = Number(await clients[0]?.sendCommand(['CLUSTER', 'KEYSLOT', key]))
    const owner = Math.floor((slot * clients.length) / 16_384)
    const [from, to] = [clients[owner]!, clients[(owner + 1) % clients.length]!]
    await to.sendCommand(['CLUSTER', 'SETSLOT', `${slot}`, 'IMPORTING', await idOf(from)])
    await from.sendCommand(['CLUSTER', 'SETSLOT', `${slot}`, 'MIGRATING', await idOf(to)])
    return new Move(slot, from, to)
  }

  /** Moves a key. */
  async one(key: string): Promise<void> {
    const port = `${this.#to.options.url}`.split(':').at(-1) ?? ''
    await this.#from.sendCommand(['MIGRATE', '127.0.0.1', port, key, '0', '5000'])
  }

  /** Moves the other keys and gives the slot to the other node. */
  async end(): Promise<void> {
    const command = ['CLUSTER', 'GETKEYSINSLOT', `${this.#slot}`, '1000']
    for (const key of (await this.#from.sendCommand(command)) as unknown as string[])
      await this.one(key)
    for (const node of [this.#to, this.#from]) {
      await node.sendCommand(['CLUSTER', 'SETSLOT', `${this.#slot}`, 'NODE', await idOf(this.#to)])
    }
  }
}

async function idOf(node: Client): Promise<string> {
  return (await node.sendCommand(['CLUSTER', 'MYID'])) as unknown as string
}

async function listed(store: RedisStore): Promise<readonly SessionId[]> {
  const ids: SessionId[] = []
  let cursor: string | undefined
  do {
    const page = await store.list(cursor)
    ids.push(...page.ids)
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

function idsIn(bucket: number, count: number): SessionId[] {
  const ids: SessionId[] = []
  while (ids.length < count) {
    const id = newId()
    if (bucketOf(id) === bucket) ids.push(id)
  }
  return ids
}
