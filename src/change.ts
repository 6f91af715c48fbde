/**
 * What a change means, as pure functions: for engines that read a record, decide, and write it back
 * in one atomic step. Whether the record is live is for the caller to check first.
 *
 * @module
 */

import { SessionError } from './errors.ts'
import type { Committed, SessionChange, SessionId, SessionRecord, Touch } from './store.ts'

type Draft = { -readonly [Name in keyof SessionRecord]: SessionRecord[Name] }

/** A change that can be applied: the record to write, and what to answer once it is written. */
export interface Applied {
  readonly record: SessionRecord
  readonly committed: Committed
}

/** True if the record has ended at `now`. */
export function isExpired(record: Pick<SessionRecord, 'expiresAt'>, now: number): boolean {
  return record.expiresAt <= now
}

/** True if a request that was opened under `generation` has been fenced off since. */
export function isStale(
  record: Pick<SessionRecord, 'fence'>,
  generation: number | undefined,
): boolean {
  return generation !== undefined && generation < record.fence
}

/**
 * The record after a touch.
 *
 * @returns undefined if nothing is to be written: not due, of another generation, or no gain
 */
export function touched(record: SessionRecord, touch: Touch): SessionRecord | undefined {
  if (record.generation !== touch.generation || record.expiresAt >= touch.whenBefore)
    return undefined
  const expiresAt = Math.min(touch.expiresAt, record.deadline)
  return expiresAt > record.expiresAt ? { ...record, expiresAt } : undefined
}

/**
 * The record after a change, and the answer to it. The record that is given stays as it is.
 *
 * @throws SessionError `ERR_SESSION_NOT_A_NUMBER`, `ERR_SESSION_CONFLICT`
 */
export function applyChange(record: SessionRecord, change: SessionChange): Applied | 'stale' {
  if (isStale(record, change.generation)) return 'stale'
  if (!isExpected(record, change)) throw conflict()
  const values = new Map(change.clear === true ? [] : record.values)
  for (const name of change.unset) values.delete(name)
  for (const [name, text] of change.set) values.set(name, text)
  const added = addNumbers(values, change.add)
  const next: Draft = { ...record, values }
  moveTimes(next, change)
  rotate(next, change)
  identify(next, change)
  const { generation, expiresAt, deadline } = next
  return { record: next, committed: { generation, expiresAt, deadline, added } }
}

/**
 * The record after a compare-and-set of one value; `undefined` stands for absence.
 *
 * @returns false if the value is not `before`
 */
export function swapValue(
  record: SessionRecord,
  name: string,
  before: string | undefined,
  after: string | undefined,
): SessionRecord | false {
  if (record.values.get(name) !== before) return false
  const values = new Map(record.values)
  if (after === undefined) values.delete(name)
  else values.set(name, after)
  return { ...record, values }
}

/**
 * The sum that `increment` stores.
 *
 * @param text - what is stored; a missing value counts as 0
 * @throws SessionError `ERR_SESSION_NOT_A_NUMBER` if either is not a safe integer in plain decimal
 * text, or the sum is not
 */
export function addToText(name: string, text: string | undefined, by: number): number {
  const sum = numberOf(text) + by
  if (Number.isSafeInteger(sum) && Number.isSafeInteger(by)) return sum
  throw new SessionError(
    'ERR_SESSION_NOT_A_NUMBER',
    `'${name}' cannot be incremented: what it holds, or the sum, is not a safe integer. Set it to a number first.`,
  )
}

/**
 * Which sessions have to go so that a user who logs in has room.
 *
 * @param othersOf - the live sessions of the user beside this one; those that end first come first
 */
export function makeRoom(
  { user, cap }: SessionChange,
  othersOf: (user: string) => readonly SessionId[],
): readonly SessionId[] | 'full' {
  if (cap === undefined || typeof user !== 'string') return []
  const others = othersOf(user)
  const surplus = others.slice(0, Math.max(0, others.length - cap.most + 1))
  return surplus.length > 0 && cap.full === 'reject' ? 'full' : surplus
}

/** The answer to a change for which these sessions were destroyed. */
export function withEvicted(committed: Committed, evicted: readonly SessionId[]): Committed {
  return evicted.length === 0 ? committed : { ...committed, evicted }
}

/** The error of a change whose `expect` does not hold. */
export function conflict(): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    'A value was changed by another request meanwhile, and nothing was written. Read it and try again.',
  )
}

function isExpected({ values }: SessionRecord, { expect }: SessionChange): boolean {
  for (const [name, text] of expect ?? []) if (values.get(name) !== text) return false
  return true
}

const PLAIN_INTEGER = /^(?:0|-?[1-9]\d{0,15})$/

function numberOf(text: string | undefined): number {
  if (text === undefined) return 0
  const number = PLAIN_INTEGER.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : Number.NaN
}

function addNumbers(values: Map<string, string>, add: SessionChange['add']): Map<string, number> {
  const added = new Map<string, number>()
  for (const [name, by] of add) {
    const sum = addToText(name, values.get(name), by)
    values.set(name, String(sum))
    added.set(name, sum)
  }
  return added
}

function moveTimes(next: Draft, { deadline, expiresAt, rememberFor }: SessionChange): void {
  const asked = deadline === undefined ? Math.max(next.expiresAt, expiresAt) : expiresAt
  next.deadline = deadline ?? next.deadline
  next.expiresAt = Math.min(asked, next.deadline)
  if (rememberFor === null) delete next.rememberFor
  else if (rememberFor !== undefined) next.rememberFor = rememberFor
}

function rotate(next: Draft, change: SessionChange): void {
  if (change.rotate === undefined) return
  if (change.rotate === 'renew' && next.generation !== change.generation) return
  next.generation += 1
  next.renewedAt = change.at
  if (change.rotate === 'fence') next.fence = next.generation
}

function identify(next: Draft, { user, at }: SessionChange): void {
  if (user === undefined) return
  if (user === null) {
    delete next.user
    delete next.authenticatedAt
    return
  }
  next.user = user
  next.authenticatedAt = at
}
