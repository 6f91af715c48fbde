/**
 * Many writers at once, on one session or each on its own. Every write has to be found again.
 *
 * @module
 */

import { managed } from './names.js'
import { timed } from './timing.js'

/** @returns {Promise<{ cpu: number, rate: number, wait: number, lost: number, refused: number }>} */
export async function measure({ engine, sessions, writers, timing, warm }) {
  const { manager, begin } = await managed(engine)
  const cookies = []
  while (cookies.length < sessions)
    cookies.push(await begin((session) => session.set('login', 'alice')))
  let [written, refused] = [0, 0]
  const run = async (n) => {
    const session = await manager.open(cookies[n % sessions])
    session.set(`writer${n % writers}`, n)
    session.increment('writes')
    try {
      await manager.commit(session)
      written += 1
    } catch (error) {
      if (!CROWDED.has(error.code)) throw error
      refused += 1
    }
  }
  if (warm) await timed(run, { ...timing, atOnce: writers })
  const figures = await timed(run, { ...timing, atOnce: writers })
  const found = await Promise.all(cookies.map((cookie) => writesOf(manager, cookie)))
  return { ...figures, refused, lost: written - found.reduce((sum, writes) => sum + writes, 0) }
}

// What a store may answer that writes by compare-and-set: the writer learns that nothing was written.
const CROWDED = new Set(['ERR_SESSION_TIMEOUT', 'ERR_SESSION_STORE', 'ERR_SESSION_CONFLICT'])

async function writesOf(manager, cookie) {
  return (await manager.open(cookie)).get('writes') ?? 0
}
