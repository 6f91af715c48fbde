/**
 * sojourn as a measured server has it: the build of this repository, or another one for a comparison.
 *
 * @module
 */

import { pathToFileURL } from 'node:url'
import { directory, redisUrl, sampleValues, nextView, secret } from './settings.js'

const here = process.env.BENCH_DIST ?? new URL('../../dist', import.meta.url).pathname

/** A module of the package: `adapters/node`. */
export function load(path, dist = here) {
  return import(pathToFileURL(`${dist}/${path}.js`).href)
}

/** Where the build is that a change is compared with. */
export const before = process.env.BENCH_BEFORE

const STORES = {
  redis: async (dist) => {
    const { RedisStore } = await load('stores/redis', dist)
    return new RedisStore({ url: redisUrl })
  },
  embedded: async (dist) => {
    const { EmbeddedStore } = await load('stores/embedded', dist)
    return new EmbeddedStore({ path: `${directory}/sessions-${process.pid}` })
  },
  memory: async (dist) => {
    const { MemoryStore } = await load('stores/memory', dist)
    return new MemoryStore()
  },
}

/** A manager with the defaults of the package, with one engine. */
export async function manager(engine, dist = here) {
  const { SessionManager } = await load('index', dist)
  const store = await STORES[engine](dist)
  await store.ready?.()
  return new SessionManager({ secret, store })
}

/** Does what a request asks for, and answers the text of the response. */
export function serve(session, { kind, bytes }) {
  if (kind === 'begin') {
    for (const [name, value] of Object.entries(sampleValues(bytes))) session.set(name, value)
  }
  if (kind === 'write') session.set('views', nextView())
  return kind === 'begin' ? 'begun' : session.get('login')
}
