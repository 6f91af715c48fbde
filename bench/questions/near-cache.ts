/**
 * What does a near cache save, and how long is an old value served elsewhere? Prints two tables.
 *
 * Run: `npx tsx bench/questions/near-cache.ts [rounds] [loads]`
 *
 * @module
 */

import { setImmediate as turn } from 'node:timers/promises'
import { createClient } from 'redis'
import { StoreProcess } from '../../src/conformance/process.ts'
import type { SessionId, SessionStore } from '../../src/store.ts'
import { CachedStore } from '../../src/stores/cached.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { newChange, newId, newRecord } from '../../test/support/records.ts'
import { startRedis } from '../../test/support/redis.ts'
import { moveToOtherCore } from '../support/cpus.ts'
import { median, quantile, spread } from '../support/statistics.ts'

const SESSIONS = 100
const [rounds = 7, loads = 20_000] = process.argv.slice(2).map(Number)

const server = await startRedis()
moveToOtherCore(server.pid)
const client = createClient({ url: server.url, commandOptions: { timeout: 0 } })
await client.connect()

type Read = (id: SessionId) => Promise<unknown>

const redis = new RedisStore({ url: server.url })
const strict = new CachedStore(new RedisStore({ url: server.url }))
const loose = new CachedStore(new RedisStore({ url: server.url }), { strict: false })
const variants: Readonly<Record<string, Read>> = {
  'bare GET': (id) => client.get(`sojourn:${id}`),
  RedisStore: (id) => redis.load(id),
  CachedStore: (id) => strict.load(id),
  'CachedStore, strict: false': (id) => loose.load(id),
}
await Promise.all([strict.ready(), loose.ready()])

console.table(await costs())
console.table(await delays())

await Promise.all([redis.close(), strict.close(), loose.close(), client.close()])
await server.stop()

/** CPU of this process for a load, in microseconds, and how long a load takes. */
async function costs(): Promise<Record<string, object>> {
  const rows: Record<string, object> = {}
  for (const bytes of [200, 4096, 65_536]) {
    const ids = await begun(bytes)
    for (const atOnce of [1, 32]) {
      const found = await compare(ids, bytes > 10_000 ? loads / 10 : loads, atOnce)
      for (const [name, row] of Object.entries(found))
        rows[`${bytes} B, ${atOnce} at a time, ${name}`] = row
    }
  }
  return rows
}

async function compare(ids: readonly SessionId[], count: number, atOnce: number) {
  const cpu: Record<string, number[]> = {}
  const time: Record<string, number[]> = {}
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, read] of Object.entries(variants)) {
      const [used, begin] = [process.cpuUsage(), performance.now()]
      await Promise.all(Array.from({ length: atOnce }, () => run(read, ids, count / atOnce)))
      const { user, system } = process.cpuUsage(used)
      if (round === 0) continue
      ;(cpu[name] ??= []).push((user + system) / count)
      ;(time[name] ??= []).push(((performance.now() - begin) * 1000 * atOnce) / count)
    }
  }
  return Object.fromEntries(
    Object.keys(variants).map((name) => {
      const used = cpu[name] ?? []
      const row = { cpu: median(used), spread: spread(used), latency: median(time[name] ?? []) }
      return [name, Object.fromEntries(Object.entries(row).map(([key, n]) => [key, +n.toFixed(2)]))]
    }),
  )
}

async function run(read: Read, ids: readonly SessionId[], count: number): Promise<void> {
  for (let n = 0; n < count; n++) await read(ids[n % ids.length] ?? newId())
}

async function begun(bytes: number): Promise<SessionId[]> {
  const ids = Array.from({ length: SESSIONS }, newId)
  const values = new Map(Array.from({ length: 20 }, (_, n) => [`name${n}`, 'x'.repeat(bytes / 20)]))
  for (const id of ids) await redis.create(id, newRecord({ values }))
  return ids
}

/**
 * How long a value that another process has replaced is still served here, in ms, from the moment when
 * the answer to the write is known there. Its clock is that of the machine.
 */
async function delays(): Promise<Record<string, object>> {
  const other = await writer()
  const [id = newId()] = await begun(200)
  const seen: number[] = []
  for (let round = 0; round < 1000; round++) {
    await loose.load(id)
    await loose.load(id)
    const writing = other
      .commit(id, newChange({ set: new Map([['name0', `${round}`]]) }))
      .then(() => performance.now())
    while ((await loose.load(id))?.values.get('name0') !== `${round}`) await turn()
    const at = performance.now()
    seen.push(at - (await writing))
  }
  await other.close?.()
  const of = (part: number) => +quantile(seen, part).toFixed(3)
  return {
    'the new value is seen, ms after its writer tells (below 0: before)': {
      median: of(0.5),
      p99: of(0.99),
      max: of(1),
    },
  }
}

function writer(): Promise<SessionStore> {
  return StoreProcess.start({
    worker: new URL('../../test/conformance/workers/redis.ts', import.meta.url),
    execArgv: ['--import', 'tsx'],
    env: { KIT_REDIS_URL: server.url },
  })
}
