import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisStore } from '../../src/stores/redis.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'
import { clustered, single, throughSentinel } from '../support/redis-clients.ts'
import type { Connected } from '../support/redis-clients.ts'
import { ask, startRedisCluster } from '../support/redis-cluster.ts'
import type { RedisCluster } from '../support/redis-cluster.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

const TEXTS = new Map([
  ['', ''],
  ['#c', '"Grüße, 世界, 👋🏽"'],
  ['{tag}:a.b', '"\uFFFF\uFEFF\u0001\u0002"'],
  ['__proto__', '{"\\u0000":[1,2]}'],
  ['new\nline', 'x'.repeat(5000)],
  ['\u{1F600}', '中'.repeat(3000)],
])

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})

afterAll(async () => {
  await Promise.all([server?.stop(), cluster?.stop()])
})

for (const [name, connect] of Object.entries(single)) {
  describe(`with ${name}`, () => {
    keepsTheContract(
      () => connect([server]),
      () => [server],
    )
  })
}

for (const [name, connect] of Object.entries(clustered)) {
  describe(`with a cluster of ${name}`, () => {
    keepsTheContract(
      () => connect(cluster.nodes),
      () => cluster.nodes,
    )
  })
}

describe('with node-redis behind a sentinel', () => {
  let directory: string
  let sentinel: RedisServer

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sojourn-sentinel-'))
    const file = join(directory, 'sentinel.conf')
    await writeFile(file, `sentinel monitor main ${server.host} ${server.port} 1\n`)
    sentinel = await startRedis({ config: file, args: ['--sentinel'] })
  })

  afterAll(async () => {
    await sentinel?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  keepsTheContract(
    () => throughSentinel('main', sentinel),
    () => [server],
  )
})

function keepsTheContract(
  connect: () => Promise<Connected>,
  nodes: () => readonly RedisServer[],
): void {
  let connected: Connected
  let store: RedisStore

  beforeAll(async () => {
    connected = await connect()
    store = new RedisStore(connected.client)
    await store.ready()
  })

  afterAll(async () => {
    await store?.close()
    await connected?.close()
  })

  test('every text comes back as it was', async () => {
    const id = newId()
    const client = { userAgent: 'Tëst/1.0 (日本)', address: '2001:db8::1' }
    const login = { user: 'al:i{c}e 愛', authenticatedAt: Date.now() - 5, rememberFor: 90_000 }
    const record = newRecord({ ...login, client, generation: 3, fence: 2, values: TEXTS })
    expect(await store.create(id, record)).toBe(true)
    expect(await store.create(id, newRecord())).toBe(false)
    const { values, ...rest } = (await store.load(id))!
    expect({ ...rest, values: new Map(values) }).toEqual(record)
    for (const [name, text] of TEXTS) expect((await store.load(id))?.values.get(name)).toBe(text)
  })

  test('every verb does what it says', async () => {
    const id = newId()
    expect(await store.load(id)).toBeUndefined()
    expect(await store.commit(id, newChange({ set: new Map([['a', '1']]) }))).toBe('gone')
    expect(await store.create(id, newRecord({ values: TEXTS }))).toBe(true)
    const set = new Map([
      ['#c', '"😀"'],
      ['b', '中'],
    ])
    const add = new Map([
      ['n', 9_007_199_254_740_990],
      ['m', -7],
    ])
    const outcome = await store.commit(
      id,
      newChange({ set, unset: ['', 'new\nline'], add, rotate: 'fence' }),
    )
    expect(outcome).toMatchObject({ generation: 1, added: add })
    expect(new Map((await store.load(id))?.values)).toEqual(
      new Map(
        [...TEXTS, ...set, ['n', '9007199254740990'], ['m', '-7']].filter(
          ([name]) => name !== '' && name !== 'new\nline',
        ) as [string, string][],
      ),
    )
    expect(await store.commit(id, newChange())).toBe('stale')
    expect(await store.swap(id, 'b', '中', '文')).toBe(true)
    expect(await store.swap(id, 'b', '中', 'x')).toBe(false)
    expect(await store.swap(id, 'b', '文', undefined, 0)).toBe('stale')
    expect(await store.take(id, 'b', 0)).toBeUndefined()
    expect(await store.take(id, 'b', 1)).toBe('文')
    expect(await store.take(id, 'b', 1)).toBeUndefined()
    expect(await store.destroy(id)).toBe(true)
    expect(await store.destroy(id)).toBe(false)
    expect(await store.swap(id, 'b', undefined, 'x')).toBe('gone')
    expect(await store.take(id, 'b')).toBeUndefined()
    expect(await store.load(id, newTouch())).toBeUndefined()
  })

  test('parallel writers lose nothing, and exactly one takes', async () => {
    const id = newId()
    await store.create(id, newRecord({ values: new Map([['once', '"x"']]) }))
    const writers = Array.from({ length: 16 }, async (_, n) => {
      for (let round = 0; round < 10; round++) {
        const set = new Map([[`w${n}`, `${round}`]])
        await store.commit(id, newChange({ set, add: new Map([['sum', 1]]) }))
      }
      return store.take(id, 'once')
    })
    const taken = await Promise.all(writers)
    expect(taken.filter((text) => text !== undefined)).toEqual(['"x"'])
    const values = (await store.load(id))?.values
    expect(values?.get('sum')).toBe('160')
    for (let n = 0; n < 16; n++) expect(values?.get(`w${n}`)).toBe('9')
  })

  test('a touch moves the end of the session, in Redis too', async () => {
    const id = newId()
    await store.create(id, newRecord())
    const touch = newTouch()
    expect((await store.load(id, touch))?.expiresAt).toBe(touch.expiresAt)
    await expect.poll(async () => (await store.load(id))?.expiresAt).toBe(touch.expiresAt)
  })

  test('scripts that Redis has forgotten are sent again', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await Promise.all(nodes().map(({ port }) => ask(port, 'SCRIPT FLUSH')))
    expect(await store.swap(id, 'a', '"1"', '"2"')).toBe(true)
    expect(await store.take(id, 'a')).toBe('"2"')
    expect(await store.commit(id, newChange())).toMatchObject({ generation: 0 })
  })

  test('an error of the client becomes one of the store, without what was stored', async () => {
    const id = newId()
    const secret = 'what-nobody-may-read'
    await store.create(id, newRecord({ values: new Map([['n', `"${secret}"`]]) }))
    const call = store.commit(id, newChange({ add: new Map([['n', 1]]) }))
    await expect(call).rejects.toEqual(withCode('ERR_SESSION_NOT_A_NUMBER', "'n'"))
    const small = newChange({ set: new Map([['big', secret]]) })
    await Promise.all(nodes().map(({ port }) => ask(port, 'CONFIG SET maxmemory 1')))
    const error: unknown = await store.commit(id, small).catch((thrown: unknown) => thrown)
    await Promise.all(nodes().map(({ port }) => ask(port, 'CONFIG SET maxmemory 0')))
    expect(error).toEqual(withCode('ERR_SESSION_STORE', 'OOM'))
    expect(JSON.stringify(shown(error))).not.toContain(secret)
    expect((await store.load(id))?.values.get('big')).toBeUndefined()
  })
}

function shown(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return [error.message, { ...error }, shown(error.cause)]
}
