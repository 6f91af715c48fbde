import { isDeepStrictEqual } from 'node:util'
import { isSessionError, type SessionErrorCode } from '../errors.ts'
import type { Committed, CommitOutcome, SessionId, SessionRecord, SessionStore } from '../store.ts'
import { Breach } from './check.ts'

/** Throws a `Breach` that says what was found, unless the condition holds. */
export function demand(condition: boolean, found: string): asserts condition {
  if (!condition) throw new Breach(found)
}

/** Demands two values to be equal, Maps and arrays by their contents. */
export function demandEqual(actual: unknown, wanted: unknown, what: string): void {
  demand(
    isDeepStrictEqual(actual, wanted),
    `${what} was ${show(actual)} instead of ${show(wanted)}`,
  )
}

/** The live record under an id; its absence is a breach. */
export async function loadLive(
  store: SessionStore,
  id: SessionId,
  when = 'after the calls before it',
): Promise<SessionRecord> {
  const record = await store.load(id)
  demand(record !== undefined, `load found nothing under a live id ${when}`)
  return plain(record)
}

/** Demands that nothing is found under an id. */
export async function demandAbsent(
  store: SessionStore,
  id: SessionId,
  when: string,
): Promise<void> {
  const record = await store.load(id)
  demand(record === undefined, `load found ${show(record)} ${when}`)
}

/** Demands the live record to be exactly this one. */
export async function demandRecord(
  store: SessionStore,
  id: SessionId,
  wanted: SessionRecord,
  when: string,
): Promise<void> {
  demandEqual(await loadLive(store, id, when), plain(wanted), `the record ${when}`)
}

/** Demands that a commit was applied. */
export function demandCommitted(outcome: CommitOutcome, what: string): Committed {
  demand(typeof outcome === 'object', `${what} was answered ${show(outcome)}`)
  return outcome
}

/** Demands a `SessionError` with one of the codes; the value that came instead is a breach. */
export async function demandError(
  call: Promise<unknown>,
  codes: readonly SessionErrorCode[],
  what: string,
): Promise<void> {
  const error = await call.then(
    (value) => new Breach(`${what} was answered ${show(value)}`),
    (reason: unknown) => reason,
  )
  if (error instanceof Breach) throw error
  demand(isSessionError(error), `${what} threw ${String(error)}, which is no SessionError`)
  demand(codes.includes(error.code), `${what} threw ${error.code} (${error.message})`)
}

/** A record with its known fields only, without those that are undefined: equal records compare equal. */
export function plain(record: SessionRecord): SessionRecord {
  const { createdAt, expiresAt, deadline, generation, renewedAt, fence, values } = record
  const { user, authenticatedAt, rememberFor, client } = record
  return {
    ...{ createdAt, expiresAt, deadline, generation, renewedAt, fence, values: new Map(values) },
    ...(user === undefined ? {} : { user }),
    ...(authenticatedAt === undefined ? {} : { authenticatedAt }),
    ...(rememberFor === undefined ? {} : { rememberFor }),
    ...(client === undefined ? {} : { client: { ...client } }),
  }
}

/** A value as text for a message, cut at 300 characters. */
export function show(value: unknown): string {
  const text = typeof value === 'string' && !value.includes(' ') ? quoted(value) : jsonOf(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

function quoted(text: string): string {
  return ['gone', 'stale', 'full'].includes(text) ? `'${text}'` : JSON.stringify(text)
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, asEntries) ?? String(value)
}

function asEntries(_name: string, value: unknown): unknown {
  if (value instanceof Map) return { entries: [...value] }
  return typeof value === 'bigint' ? `${value}n` : value
}
