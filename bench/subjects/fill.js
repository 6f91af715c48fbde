/**
 * Begins many sessions in a cluster.
 *
 * @module
 */

import { managed } from './names.js'

/** @returns {Promise<{ created: number }>} */
export async function measure({ engine, sessions }) {
  const { begin } = await managed(engine)
  const fill = (session) => session.set('login', 'alice')
  for (let created = 0; created < sessions; created += 50) {
    await Promise.all(Array.from({ length: 50 }, () => begin(fill)))
  }
  return { created: sessions }
}
