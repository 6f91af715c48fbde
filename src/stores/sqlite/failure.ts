import { SessionError, isSessionError } from '../../errors.ts'

// Result codes: https://www.sqlite.org/rescode.html
const BUSY = 5
const TOO_BIG = 18

/** What to do about what is wrong with the file, by name and number of the result code. */
const ADVICE = [
  ['SQLITE_READONLY', 8, 'Let the user of this process write the file and its directory.'],
  ['SQLITE_IOERR', 10, 'The disk may be full: make room, and see whether it is sound.'],
  ['SQLITE_CORRUPT', 11, 'The file is damaged: restore it, or move it away.'],
  ['SQLITE_FULL', 13, 'The disk is full: make room.'],
  [
    'SQLITE_CANTOPEN',
    14,
    'Let the user of this process read and write the file and its directory.',
  ],
  ['SQLITE_NOTADB', 26, 'The file is no SQLite database: give the path of another one.'],
] as const

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
  return new SessionError('ERR_SESSION_STORE', `SQLite failed at ${verb}. ${adviceFor(cause)}`, {
    cause,
  })
}

function adviceFor(cause: unknown): string {
  const known = ADVICE.find(([name, number]) => isCode(cause, name, number))
  return known?.[2] ?? 'Its own error is the cause of this one.'
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
