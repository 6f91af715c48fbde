/**
 * A near cache: what a load costs with it, beside Redis alone; and how long a value is served that another
 * process has replaced.
 *
 * @module
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { newIds, newRecord } from './records.js'
import { fastClient } from './redis.js'
import { load, redisUrl } from './settings.js'
import { timed } from './timing.js'

const WRITER = fileURLToPath(new URL('writer.js', import.meta.url))

/**
 * @returns {Promise<Record<string, Record<string, number>>>} the figures of each way to load; of `delay`: ms
 * from when the answer to the write is known here until the new value is loaded
 */
export async function measure({ bytes, sessions, timing, warm, writes }) {
  const { RedisStore } = await load('stores/redis')
  const { CachedStore } = await load('stores/cached')
  const client = await fastClient()
  const redis = new RedisStore({ url: redisUrl })
  const [strict, loose] = [{}, { strict: false }].map((options) => {
    return new CachedStore(new RedisStore({ url: redisUrl }), options)
  })
  await Promise.all([redis.ready(), strict.ready(), loose.ready()])
  const ids = newIds(sessions)
  for (const id of ids) {
    await redis.create(id, newRecord(bytes))
    await client.set(`raw:${id}`, 'x'.repeat(bytes))
  }
  const ways = {
    raw: (id) => client.get(`raw:${id}`),
    redis: (id) => redis.load(id),
    strict: (id) => strict.load(id),
    loose: (id) => loose.load(id),
  }
  const figures = {}
  for (const [name, way] of Object.entries(ways)) {
    const run = (n) => way(ids[n % sessions])
    if (warm) await timed(run, timing)
    figures[name] = await timed(run, timing)
  }
  return { ...figures, delay: await delays(loose, ids[0], writes) }
}

async function delays(store, id, writes) {
  const writer = fork(WRITER)
  await once(writer, 'message')
  const seen = []
  for (let n = 1; n <= writes; n++) {
    await store.load(id)
    await store.load(id)
    const known = once(writer, 'message').then(() => performance.now())
    writer.send({ id, views: n })
    while ((await store.load(id))?.values.get('views') !== `${n}`) await turn()
    const at = performance.now()
    seen.push(Math.max(0, at - (await known)))
  }
  writer.disconnect()
  const sorted = seen.toSorted((left, right) => left - right)
  const of = (part) => sorted[Math.floor(part * (sorted.length - 1))]
  return { median: of(0.5), p99: of(0.99), longest: of(1) }
}
