/**
 * sojourn as a measured server has it: the build of this repository, or another one for a comparison.
 *
 * @module
 */

import { load, nextView, sampleValues, secret } from './settings.js'
import { openStore } from './stores.js'

export { load } from './settings.js'

/** Where the build is that a change is compared with. */
export const before = process.env.BENCH_BEFORE

/** A manager with the defaults of the package, with one engine. */
export async function manager(engine, dist) {
  const { SessionManager } = await load('index', dist)
  const { store } = await openStore(engine, dist)
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
