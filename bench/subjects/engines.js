/**
 * One engine: load and commit of a session, beside what the engine itself takes to read and to write.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { sampleValues } from './settings.js'
import { openStore, RAW } from './stores.js'
import { timed } from './timing.js'

const HOUR = 3_600_000

/**
 * @returns {Promise<Record<string, Record<string, number>>>} the figures of each work
 */
export async function measure({ engine, bytes, sessions, timing, warm }) {
  const { create, works } = await subjectOf(engine, bytes)
  const keys = Array.from({ length: sessions }, () => randomBytes(32).toString('base64url'))
  for (const key of keys) await create(key)
  const figures = {}
  for (const [name, work] of Object.entries(works)) {
    const run = (n) => work(keys[n % sessions], n)
    if (warm) await timed(run, timing)
    figures[name] = await timed(run, timing)
  }
  return figures
}

async function subjectOf(engine, bytes) {
  if (engine === 'hash') return hashed(bytes)
  const opened = await openStore(engine)
  const { read, write } = await RAW[engine](opened)
  const { store } = opened
  const text = JSON.stringify(sampleValues(bytes))
  return {
    create: async (key) => {
      await store.create(key, recordOf(bytes))
      await write(key, text)
    },
    works: {
      read,
      load: (key) => loaded(store.load(key, touch())),
      write: (key) => write(key, text),
      commit: (key, n) => committed(store.commit(key, change(n))),
    },
  }
}

/** The prototype of the layout that was not chosen. */
async function hashed(bytes) {
  const [{ HashLayout }, { fastClient }] = [
    await import('../redis-layout-hash.ts'),
    await import('./redis.js'),
  ]
  const client = await fastClient()
  const layout = new HashLayout((args) => client.sendCommand(args), false)
  return {
    create: (key) => layout.create(key, recordOf(bytes)),
    works: {
      load: (key) => loaded(layout.load(key, touch())),
      commit: (key, n) => layout.commit(key, change(n)),
    },
  }
}

async function loaded(loading) {
  if ((await loading).values.get('login') !== '"alice"') throw new Error('There is no session.')
}

async function committed(committing) {
  if (typeof (await committing) !== 'object') throw new Error('Nothing was committed.')
}

function recordOf(bytes) {
  const at = Date.now()
  const texts = Object.entries(sampleValues(bytes)).map(([name, value]) => [
    name,
    JSON.stringify(value),
  ])
  return {
    ...{ createdAt: at, expiresAt: at + HOUR, deadline: at + 24 * HOUR, renewedAt: at },
    ...{ generation: 0, fence: 0, values: new Map(texts) },
  }
}

/** One that is not due, as with nearly every request. */
function touch() {
  const at = Date.now()
  return { generation: 0, at, expiresAt: at + HOUR, whenBefore: at + 0.9 * HOUR }
}

function change(n) {
  const at = Date.now()
  const set = new Map([['views', `${n}`]])
  return { generation: 0, at, expiresAt: at + HOUR, set, unset: [], add: new Map() }
}
