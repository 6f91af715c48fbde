/**
 * What do the registry, the index by user and events cost in Redis: memory per session, CPU per call,
 * and CPU of those who listen while nothing happens? Prints three tables.
 *
 * Run: `npx tsx bench/redis-index.ts [rounds] [sessions]`
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import type { SessionId } from '../src/store.ts'
import { RedisStore, type RedisStoreOptions } from '../src/stores/redis.ts'
import { HOUR, newChange, newId } from '../test/support/records.ts'
import { startRedis } from '../test/support/redis.ts'
import { small, subjects } from './redis-layout-subjects.ts'
import { moveToOtherCore } from './support/cpus.ts'
import { median } from './support/statistics.ts'

const [rounds = 7, sessions = 20_000] = process.argv.slice(2).map(Number)
const CALLS = 4000
const AT_ONCE = 32

const server = await startRedis()
moveToOtherCore(server.pid)
const client = createClient({ url: server.url, commandOptions: { timeout: 0 } })
await client.connect()

const variants: Readonly<Record<string, RedisStoreOptions>> = {
  'record alone': { userIndex: false, registry: false },
  'and registry': { userIndex: false },
  'and index by user': {},
}

console.table(await memory())
console.table(await calls())
console.table(await listening())

await client.close()
await server.stop()

/** Bytes per session of used_memory: two short values, user agent and address. */
async function memory(): Promise<Record<string, object>> {
  const rows: Record<string, object> = {}
  // What Redis takes for scripts and buffers is taken before.
  for (const options of Object.values(variants)) {
    const store = new RedisStore(client, options)
    await bytesOf((n) => store.create(newId(), sessionOf('a user each', n)))
  }
  for (const user of ['nobody', 'a user each', 'a user for four']) {
    const row: Record<string, number> = {}
    for (const [name, options] of Object.entries(variants)) {
      const store = new RedisStore(client, options)
      row[name] = await bytesOf((n) => store.create(newId(), sessionOf(user, n)))
    }
    const json = subjects(client, (args) => client.sendCommand(args)).find(({ name }) =>
      name.startsWith('JSON'),
    )
    row['JSON, as connect-redis'] = await bytesOf(async (n) =>
      json?.create(newId(), sessionOf(user, n)),
    )
    rows[user] = row
  }
  return rows
}

function sessionOf(user: string, n: number): ReturnType<typeof small> {
  const { user: _, ...record } = small()
  if (user === 'nobody') return record
  return { ...record, user: `user-${user === 'a user each' ? n : Math.floor(n / 4)}` }
}

async function bytesOf(create: (n: number) => Promise<unknown>): Promise<number> {
  await client.flushAll()
  const empty = await usedMemory()
  for (let n = 0; n < sessions; n += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, m) => create(n + m)))
  }
  // What protects a login for a minute is gone by then.
  const fresh = await client.keys('sojourn:n:*')
  for (let n = 0; n < fresh.length; n += 500) await client.del(fresh.slice(n, n + 500))
  return Math.round(((await usedMemory()) - empty) / sessions)
}

/** CPU per call in microseconds, of this process and of Redis. */
async function calls(): Promise<Record<string, object>> {
  const found = new Map<string, { client: number[]; server: number[] }>()
  for (let round = -1; round < rounds; round++) {
    for (const [name, options] of Object.entries(variants)) {
      await client.flushAll()
      const store = new RedisStore(client, options)
      for (const [verb, call] of Object.entries(await verbs(store))) {
        const used = await measure(call)
        const row = found.get(`${verb}, ${name}`) ?? { client: [], server: [] }
        found.set(`${verb}, ${name}`, row)
        if (round < 0) continue
        row.client.push(used.client)
        row.server.push(used.server)
      }
    }
  }
  return Object.fromEntries(
    [...found].map(([name, row]) => [
      name,
      { client: +median(row.client).toFixed(1), server: +median(row.server).toFixed(1) },
    ]),
  )
}

async function verbs(store: RedisStore): Promise<Record<string, (n: number) => Promise<unknown>>> {
  const ids = Array.from({ length: CALLS }, newId)
  const at = (n: number): SessionId => ids[n] ?? newId()
  return {
    create: (n) => store.create(at(n), sessionOf('nobody', n)),
    load: (n) => store.load(at(n)),
    commit: (n) => store.commit(at(n), newChange({ set: new Map([['views', `${n}`]]) })),
    login: (n) => {
      const deadline = Date.now() + 24 * HOUR
      return store.commit(at(n), newChange({ user: `user-${n}`, deadline, rotate: 'fence' }))
    },
    destroy: (n) => store.destroy(at(n)),
  }
}

async function measure(
  call: (n: number) => Promise<unknown>,
): Promise<{ client: number; server: number }> {
  const [cpu, before] = [process.cpuUsage(), await serverCpu()]
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < CALLS) await call(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const { user, system } = process.cpuUsage(cpu)
  return { client: (user + system) / CALLS, server: ((await serverCpu()) - before) / CALLS }
}

/** ms of CPU per second while nothing happens. */
async function listening(): Promise<Record<string, object>> {
  const store = new RedisStore(client)
  const rows: Record<string, object> = { 'nobody listens': await idle() }
  const watching = await store.watch(() => undefined)
  rows['a watcher'] = await idle()
  const consuming = await store.consume('bench', () => undefined)
  rows['a watcher and a consumer'] = await idle()
  await Promise.all([watching(), consuming()])
  return rows
}

async function idle(): Promise<object> {
  const seconds = 5
  const [cpu, before] = [process.cpuUsage(), await serverCpu()]
  await sleep(seconds * 1000)
  const { user, system } = process.cpuUsage(cpu)
  const used = { client: (user + system) / 1000, server: ((await serverCpu()) - before) / 1000 }
  return {
    client: +(used.client / seconds).toFixed(1),
    server: +(used.server / seconds).toFixed(1),
  }
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
}

/** Microseconds of CPU that the server has used. */
async function serverCpu(): Promise<number> {
  const info = await client.info('cpu')
  const seconds = [...info.matchAll(/used_cpu_(?:user|sys):([\d.]+)/g)].map(([, text]) =>
    Number(text),
  )
  return seconds.reduce((sum, value) => sum + value, 0) * 1e6
}
