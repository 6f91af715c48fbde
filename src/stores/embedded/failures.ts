import { SessionError, isSessionError } from '../../errors.ts'

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'Let the user of this process read and write it, or set another path.',
  EPERM: 'Let the user of this process read and write it, or set another path.',
  EROFS: 'The file system is read-only: set a path that can be written.',
  ENOTDIR: 'A part of the path is a file: set the path of a directory, which is created.',
  EEXIST: 'The path is a file: set the path of a directory, which is created.',
  EISDIR: 'Its data.mdb is a directory: set another path.',
  ENOSPC: 'The disk is full: make room.',
  EDQUOT: 'The disk quota is used up: make room.',
  EMFILE: 'Too many files are open: raise the limit of the process.',
  ENOMEM: 'There is not enough address space: set a smaller mapSize.',
}

const BY_NUMBER: Readonly<Record<number, string>> = { 12: 'ENOMEM', 28: 'ENOSPC', 122: 'EDQUOT' }

/** The error of a store whose files could not be opened; nothing was overwritten. */
export function openingFailure(directory: string, cause: unknown): SessionError {
  if (isSessionError(cause)) return cause
  return failure(`The embedded store cannot open '${directory}'`, cause, 'Nothing was overwritten.')
}

/** The error of a verb that LMDB could not do. What other errors say stays as it is. */
export async function verbFailure(
  verb: string,
  directory: string,
  cause: unknown,
): Promise<unknown> {
  if (isSessionError(cause)) return cause
  const known = (await commitError(cause)) ?? cause
  return failure(
    `The embedded store could not do ${verb} in '${directory}'`,
    known,
    'Nothing of it was written. If the disk is full, make room; else see the cause.',
  )
}

/** The error for a file that is not whole. */
export function damaged(file: string, damage: string): SessionError {
  return new SessionError(
    'ERR_SESSION_STORE',
    `The embedded store does not open '${file}': ${damage}. Nothing was overwritten. Restore the directory from a backup, or move it away to begin with no sessions.`,
  )
}

/** The error for a call to a store that was closed. */
export function closedFailure(): SessionError {
  return new SessionError(
    'ERR_SESSION_CLOSED',
    'The embedded store was closed before this call. Close it when no request is left.',
  )
}

/** The error for a listener to a store that keeps no log. */
export function eventsFailure(verb: string): SessionError {
  return new SessionError(
    'ERR_SESSION_UNSUPPORTED',
    `The embedded store cannot do ${verb} without a log. Set its option \`events\`, in every process that shares the files.`,
  )
}

function failure(what: string, cause: unknown, otherwise: string): SessionError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const advice = ADVICE[codeOf(cause)] ?? otherwise
  return new SessionError('ERR_SESSION_STORE', `${what} (${reason}). ${advice}`, { cause })
}

function codeOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'number' ? (BY_NUMBER[code] ?? '') : String(code)
}

/**
 * What LMDB said. lmdb rejects every write of a batch with an error that has a promise of the actual
 * one; that promise must be caught, or the process ends by an unhandled rejection.
 */
async function commitError(cause: unknown): Promise<unknown> {
  if (!(cause instanceof Error) || !('commitError' in cause)) return undefined
  try {
    return await cause.commitError
  } catch (error) {
    return error
  }
}
