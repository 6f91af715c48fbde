import { SessionError } from './errors.ts'
import { isNotification } from './notifications.ts'

/** The error of a change that needs the cookie after the headers have left. */
export function headersSent(what: string): SessionError {
  return new SessionError(
    'ERR_SESSION_HEADERS_SENT',
    `The session cannot be ${what}: the headers, and with them the cookie, have left. Do it before the first byte of the response.`,
  )
}

/** The error of a change of the credential where there is none. */
export function noCredential(verb: string): SessionError {
  return new SessionError(
    'ERR_SESSION_MISUSE',
    `${verb}() changes the cookie of a request, and edit has none: it can change values, log out and destroy.`,
  )
}

/** The error of a commit of something that `open` did not answer. */
export function notASession(): SessionError {
  return new SessionError(
    'ERR_SESSION_MISUSE',
    'This is no session of this copy of sojourn. Give what open() of the same manager resolved to.',
  )
}

/** @throws SessionError `ERR_SESSION_NAME` for a name that only notifications may have */
export function refuseMark(name: string): void {
  if (typeof name !== 'string' || !isNotification(name)) return
  throw new SessionError(
    'ERR_SESSION_NAME',
    'Names that begin with U+0001 are kept for notifications.',
  )
}

/** @throws SessionError `ERR_SESSION_MISUSE` for what is no text, such as the id of nothing */
export function checkId(id: unknown, verb: string): void {
  if (typeof id === 'string' && id !== '') return
  throw new SessionError(
    'ERR_SESSION_MISUSE',
    `${verb} takes the public id of a session: session.id, or that of one that sessionsOf or list found.`,
  )
}

/** @throws SessionError `ERR_SESSION_VALUE` for anything that cannot be the id of a user */
export function checkUser(user: unknown, verb = 'login'): void {
  const fits =
    typeof user === 'string' && user !== '' && !user.includes('\0') && user.isWellFormed()
  if (fits && Buffer.byteLength(user) <= 1024) return
  throw new SessionError(
    'ERR_SESSION_VALUE',
    `${verb} takes the id of a user: text of 1 to 1024 bytes without U+0000.`,
  )
}
