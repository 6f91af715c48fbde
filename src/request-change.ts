import { clientOf } from './client-info.ts'
import type { Policy } from './policy.ts'
import type { Intent, Origin, SessionState } from './session-state.ts'
import type { SessionChange, SessionRecord } from './store.ts'
import type { ValueChanges } from './values.ts'

// A part that is absent is left out, not undefined.
type Draft<T> = { -readonly [Name in keyof T]: T[Name] }

type Rules = Pick<Policy, 'idle' | 'lifetime' | 'cap'>

/** Whether a request would write, given what it did to the values. */
export function isChanged(state: SessionState, changes: ValueChanges): boolean {
  const content = changes.set.size > 0 || changes.add.size > 0
  if (state.origin === undefined || state.intent.kind === 'logout') return content
  return content || changes.clear || changes.unset.length > 0 || state.rememberFor !== undefined
}

/** The first record of a session. */
export function firstRecord(
  state: SessionState,
  changes: ValueChanges,
  now: number,
  rules: Rules,
): SessionRecord {
  const { intent, rememberFor } = state
  const client = clientOf(state.client)
  const deadline = now + Math.max(rules.lifetime, rememberFor ?? 0)
  return {
    createdAt: now,
    expiresAt: Math.min(now + Math.max(rules.idle, rememberFor ?? 0), deadline),
    deadline,
    generation: 0,
    renewedAt: now,
    fence: 0,
    ...(intent.kind === 'login' && { user: intent.user, authenticatedAt: now }),
    ...(rememberFor !== undefined && { rememberFor }),
    ...(client !== undefined && { client }),
    values: new Map([
      ...changes.set,
      ...[...changes.add].map(([name, by]) => [name, `${by}`] as const),
    ]),
  }
}

/** What a request asks of the record it was opened from. */
export function changeOf(
  state: SessionState,
  { record }: Origin,
  changes: ValueChanges,
  now: number,
  rules: Rules,
): SessionChange {
  const { intent, rememberFor } = state
  const kept = intent.kind === 'logout' ? rememberFor : (rememberFor ?? record.rememberFor)
  const deadline = deadlineOf(state, record, now, rules.lifetime, kept ?? 0)
  const rotate = ROTATION[intent.kind]
  const { clear, set, unset, add } = changes
  const { generation } = record
  const expiresAt = now + Math.max(rules.idle, kept ?? 0)
  const change: Draft<SessionChange> = { generation, at: now, clear, set, unset, add, expiresAt }
  if (deadline !== undefined) change.deadline = deadline
  if (rotate !== undefined) change.rotate = rotate
  if (intent.kind === 'login') change.user = intent.user
  if (intent.kind === 'logout') change.user = null
  if (intent.kind === 'login' && rules.cap !== undefined) change.cap = rules.cap
  if (kept !== record.rememberFor) change.rememberFor = kept ?? null
  return change
}

const ROTATION: { readonly [Kind in Intent['kind']]: 'renew' | 'fence' | undefined } = {
  keep: undefined,
  renew: 'renew',
  login: 'fence',
  logout: 'fence',
  destroy: undefined,
}

// A login or a logout begins the session's time anew; a renewal must not, or it would defeat the
// absolute timeout (ASVS 5.0 7.3.2).
function deadlineOf(
  { intent, rememberFor }: SessionState,
  record: SessionRecord,
  now: number,
  lifetime: number,
  kept: number,
): number | undefined {
  if (intent.kind === 'login' || intent.kind === 'logout') return now + Math.max(lifetime, kept)
  return rememberFor === undefined ? undefined : Math.max(record.deadline, now + rememberFor)
}

/** The record as it is after a change was applied, as far as this request knows. */
export function recordAfter(
  record: SessionRecord,
  change: SessionChange,
  committed: { readonly generation: number; readonly expiresAt: number; readonly deadline: number },
): SessionRecord {
  const { createdAt, renewedAt, fence, client, values } = record
  const { generation, expiresAt, deadline } = committed
  const user = change.user === undefined ? record.user : (change.user ?? undefined)
  const login = typeof change.user === 'string' ? change.at : record.authenticatedAt
  const { rememberFor = record.rememberFor } = change
  const after: Draft<SessionRecord> = {
    createdAt,
    expiresAt,
    deadline,
    generation,
    renewedAt,
    fence,
    values,
  }
  if (user !== undefined) after.user = user
  if (user !== undefined && login !== undefined) after.authenticatedAt = login
  if (rememberFor !== undefined && rememberFor !== null) after.rememberFor = rememberFor
  if (client !== undefined) after.client = client
  return after
}
