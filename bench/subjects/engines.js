/**
 * One engine: load and commit of a session, beside what the engine itself takes to read and to write.
 *
 * @module
 */

import { newChange, newIds, newRecord, newTouch } from './records.js'
import { sampleValues } from './settings.js'
import { openStore, RAW } from './stores.js'
import { timed } from './timing.js'

/**
 * @returns {Promise<Record<string, Record<string, number>>>} the figures of each work
 */
export async function measure({ engine, bytes, sessions, timing, warm }) {
  const { create, works } = await subjectOf(engine, bytes)
  const keys = newIds(sessions)
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
      await store.create(key, newRecord(bytes))
      await write(key, text)
    },
    works: {
      read,
      load: (key) => loaded(store.load(key, newTouch())),
      write: (key) => write(key, text),
      commit: (key, n) => committed(store.commit(key, newChange(n))),
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
    create: (key) => layout.create(key, newRecord(bytes)),
    works: {
      load: (key) => loaded(layout.load(key, newTouch())),
      commit: (key, n) => layout.commit(key, newChange(n)),
    },
  }
}

async function loaded(loading) {
  if ((await loading).values.get('login') !== '"alice"') throw new Error('There is no session.')
}

async function committed(committing) {
  if (typeof (await committing) !== 'object') throw new Error('Nothing was committed.')
}
