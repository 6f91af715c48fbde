import { SessionError, isSessionError } from '../../errors.ts'
import type { SessionErrorCode } from '../../errors.ts'

const TRY_AGAIN: ReadonlySet<string> = new Set(['40001', '40P01'])

/**
 * True if the server undid the statement because of another one: nothing was written, and the same
 * statement may succeed now. Met under REPEATABLE READ and SERIALIZABLE, and at a deadlock.
 */
export function wasUndone(error: unknown): boolean {
  return TRY_AGAIN.has(stateOf(error))
}

/** What an error of the client means here. Its message may hold values, so only `cause` has it. */
export function failure(verb: string, cause: unknown): SessionError {
  if (isSessionError(cause)) return cause
  const [code, message] = explain(stateOf(cause)) ?? [
    'ERR_SESSION_STORE',
    `PostgreSQL failed at ${verb}. Its own error is the cause of this one.`,
  ]
  return new SessionError(code, message, { cause })
}

/** SQLSTATE codes: Appendix A of the PostgreSQL manual. */
function explain(state: string): readonly [SessionErrorCode, string] | undefined {
  switch (state) {
    case '42P01':
    case '3F000':
      return [
        'ERR_SESSION_STORE',
        'The table of the sessions does not exist. Run `await store.migrate()` once, or docs/postgres-schema.sql.',
      ]
    case '42703':
    case '42883':
      return [
        'ERR_SESSION_STORE',
        'The table of the sessions is of another version. Run `await store.migrate()` of this version once.',
      ]
    case '22021':
    case '22P02':
    case '22P05':
      return ['ERR_SESSION_VALUE', 'PostgreSQL cannot store text with U+0000 or half a character.']
    case '54000':
      return ['ERR_SESSION_TOO_LARGE', 'The session is larger than a row of PostgreSQL can be.']
    default:
      return undefined
  }
}

function stateOf(error: unknown): string {
  const state = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof state === 'string' ? state : ''
}
