import { conflict } from '../../change.ts'
import { SessionError } from '../../errors.ts'
import type { CommitOutcome, SessionChange, SessionId, Touch } from '../../store.ts'
import type { Parameter, Row } from './client.ts'
import { checkFormat, corrupt, jsonOf } from './row.ts'

/** The parameters of a touch, in the order of the statement. */
export function touchParameters({ generation, at, expiresAt, whenBefore }: Touch): Parameter[] {
  return [generation, at, expiresAt, whenBefore]
}

/** The parameters of a commit, in the order of the statement. */
export function changeParameters(change: SessionChange): Parameter[] {
  return [
    change.generation,
    change.at,
    change.expiresAt,
    change.deadline ?? null,
    change.clear === true,
    JSON.stringify(change.unset),
    jsonOf(change.set),
    jsonOf(change.add),
    jsonOf(orNull(change.expect)),
    change.rotate ?? null,
    change.user !== undefined,
    change.user ?? null,
    change.rememberFor !== undefined,
    change.rememberFor ?? null,
  ]
}

/** The parameters of a commit with a cap, after all others; undefined if there is none. */
export function capParameters({ user, cap }: SessionChange): Parameter[] | undefined {
  if (cap === undefined || typeof user !== 'string') return undefined
  return [cap.most, cap.full === 'evict-oldest']
}

function orNull(expected: SessionChange['expect']): Map<string, string | null> {
  return new Map(Array.from(expected ?? [], ([name, text]) => [name, text ?? null]))
}

/** What the row that a commit has answered means. */
export function outcomeOf(row: Row, change: SessionChange): CommitOutcome {
  if (row['stale'] === true) return 'stale'
  checkFormat(row)
  if (row['corrupt'] === true) throw corrupt()
  if (row['expected'] !== true) throw conflict()
  if (row['fit'] !== true) throw notANumber(change)
  if (row['evicted'] === null) return 'full'
  const evicted = JSON.parse(textOf(row['evicted'])) as SessionId[]
  return {
    generation: Number(row['generation']),
    expiresAt: Number(row['expires_at']),
    deadline: Number(row['deadline']),
    added: addedOf(textOf(row['added'])),
    ...(evicted.length > 0 && { evicted }),
  }
}

function addedOf(text: string): Map<string, number> {
  const object = JSON.parse(text) as Record<string, string>
  return new Map(Object.entries(object).map(([name, sum]) => [name, Number(sum)]))
}

function notANumber({ add }: SessionChange): SessionError {
  const names = [...add.keys()].map((name) => `'${name}'`).join(', ')
  return new SessionError(
    'ERR_SESSION_NOT_A_NUMBER',
    `${names} cannot be incremented: what is stored, or the sum, is not a safe integer. Set it to a number first.`,
  )
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw corrupt()
}
