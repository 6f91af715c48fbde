import { SessionError, isSessionError } from '../../errors.ts'

// Result codes: https://www.sqlite.org/rescode.html
const BUSY = 5
const TOO_BIG = 18

/** What an error of the driver means here. */
export function failure(verb: string, cause: unknown): SessionError {
  if (isSessionError(cause)) return cause
  if (isBusy(cause)) {
    return new SessionError(
      'ERR_SESSION_TIMEOUT',
      `SQLite could not do ${verb} in time: another connection was writing all the while. Nothing was changed; try again.`,
      { cause },
    )
  }
  if (isCode(cause, 'SQLITE_TOOBIG', TOO_BIG)) {
    return new SessionError(
      'ERR_SESSION_TOO_LARGE',
      'The session is larger than a value of SQLite can be. Keep less in it.',
      { cause },
    )
  }
  return new SessionError(
    'ERR_SESSION_STORE',
    `SQLite failed at ${verb}. Its own error is the cause of this one.`,
    { cause },
  )
}

/** True if another connection was in the way for longer than this one waits. */
export function isBusy(error: unknown): boolean {
  return isCode(error, 'SQLITE_BUSY', BUSY)
}

/** Drivers say a result code by its name in `code`, Node by its number in `errcode`. */
function isCode(error: unknown, name: string, number: number): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  const errcode = 'errcode' in error ? Number(error.errcode) : 0
  return code.startsWith(name) || (errcode & 0xff) === number
}
