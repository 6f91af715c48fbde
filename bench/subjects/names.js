/**
 * Sessions with more or fewer names, of which more or fewer are changed; all of them of the same size.
 *
 * @module
 */

import { redisInput } from './redis.js'
import { manager } from './sojourn.js'
import { timed } from './timing.js'

const BYTES = 16_384

/** @returns {Promise<{ cpu: number, rate: number, wait: number, sent: number }>} */
export async function measure({ names, changed, sessions, timing, warm }) {
  const { manager: manage, begin } = await managed()
  const text = 'x'.repeat(Math.ceil(BYTES / names))
  const cookies = []
  while (cookies.length < sessions) {
    cookies.push(await begin((session) => each(names, (name) => session.set(name, text))))
  }
  const run = async (n) => {
    const session = await manage.open(cookies[n % sessions])
    if (session.get('name0') === undefined) throw new Error('There is no session.')
    each(changed, (name) => session.set(name, text.slice(String(n).length) + n))
    await manage.commitNow(session)
  }
  if (warm) await timed(run, timing)
  const figures = await timed(run, timing)
  return { ...figures, sent: await redisInput(run, Math.min(100, timing.operations)) }
}

function each(count, act) {
  for (let number = 0; number < count; number++) act(`name${number}`)
}

/** A manager, and how to begin a session and have its cookie. */
export async function managed(engine = 'redis') {
  const sessions = await manager(engine)
  const begin = async (fill) => {
    const session = await sessions.open(undefined)
    fill(session)
    const [[, line]] = await sessions.commit(session)
    return line.split(';')[0]
  }
  return { manager: sessions, begin }
}
