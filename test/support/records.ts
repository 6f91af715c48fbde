import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { SessionChange, SessionId, SessionRecord, Touch } from '../../src/store.ts'

/** An hour in ms. */
export const HOUR = 3_600_000

/** An id that no other test has. */
export function newId(): SessionId {
  return randomBytes(32).toString('base64url') as SessionId
}

/** A record with one value, `a`, that lives for an hour of at most a day, unless said otherwise. */
export function newRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  const times = { createdAt: now, expiresAt: now + HOUR, deadline: now + 24 * HOUR, renewedAt: now }
  return { ...times, generation: 0, fence: 0, values: new Map([['a', '"1"']]), ...fields }
}

/** A change of generation 0 that asks for nothing, unless said otherwise. */
export function newChange(fields: Partial<SessionChange> = {}): SessionChange {
  const at = Date.now()
  const nothing = { set: new Map(), unset: [], add: new Map() }
  return { generation: 0, at, expiresAt: at + HOUR, ...nothing, ...fields }
}

/** A touch of generation 0 that is due for a record of `newRecord`, unless said otherwise. */
export function newTouch(fields: Partial<Touch> = {}): Touch {
  const at = Date.now()
  return { generation: 0, at, expiresAt: at + 2 * HOUR, whenBefore: at + 2 * HOUR, ...fields }
}

/** Equals a `SessionError` with that code, and with that text in its message. */
export function withCode(code: string, text = ''): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(text) })
}
