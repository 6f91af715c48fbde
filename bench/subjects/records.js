/**
 * Records and changes, for what uses a store without a manager.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { sampleValues } from './settings.js'

const HOUR = 3_600_000

export function newIds(count) {
  return Array.from({ length: count }, () => randomBytes(32).toString('base64url'))
}

export function newRecord(bytes) {
  const at = Date.now()
  const values = Object.entries(sampleValues(bytes)).map(([name, value]) => {
    return [name, JSON.stringify(value)]
  })
  return {
    ...{ createdAt: at, expiresAt: at + HOUR, deadline: at + 24 * HOUR, renewedAt: at },
    ...{ generation: 0, fence: 0, values: new Map(values) },
  }
}

/** One that is not due, as with nearly every request. */
export function newTouch() {
  const at = Date.now()
  return { generation: 0, at, expiresAt: at + HOUR, whenBefore: at + 0.9 * HOUR }
}

/** One value is replaced. */
export function newChange(views) {
  const at = Date.now()
  const set = new Map([['views', `${views}`]])
  return { generation: 0, at, expiresAt: at + HOUR, set, unset: [], add: new Map() }
}
