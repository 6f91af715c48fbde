import { SessionError } from './errors.ts'

const LONGEST_NAME = 1024

/** @throws SessionError `ERR_SESSION_NAME` for what cannot be the name of a value */
export function checkName(name: unknown): asserts name is string {
  const problem = problemOf(name)
  if (problem === undefined) return
  throw new SessionError(
    'ERR_SESSION_NAME',
    `The name of a session value ${problem}. Use another name.`,
  )
}

function problemOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return `must be text, not a ${typeof name}`
  if (name.includes('\0')) return 'must not hold U+0000'
  if (!name.isWellFormed()) return 'must not hold half of a surrogate pair'
  return Buffer.byteLength(name) > LONGEST_NAME
    ? `must have at most ${LONGEST_NAME} bytes`
    : undefined
}

/** @throws SessionError `ERR_SESSION_NOT_A_NUMBER` unless it is a safe integer */
export function integer(by: number): number {
  if (Number.isSafeInteger(by)) return by
  throw new SessionError('ERR_SESSION_NOT_A_NUMBER', 'increment takes a safe integer to add.')
}

/** The error of an increment of what is no whole number. */
export function notANumber(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_NOT_A_NUMBER',
    `increment('${name}') needs a safe integer there. Set a whole number first, or use another name.`,
  )
}

/** The error of a session that would hold more than it may. */
export function tooLarge(what: string, limit: string): SessionError {
  return new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `The session would hold ${what}; ${limit}. Keep large data elsewhere and its key in the session, or raise the limit.`,
  )
}
