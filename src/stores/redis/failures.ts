import { SessionError, isSessionError } from '../../errors.ts'

/** A record of a later version of the format. */
export function newer(): SessionError {
  return new SessionError(
    'ERR_SESSION_VERSION',
    'The record was written by a newer version and is kept as it is. Update this process too.',
  )
}

/** Something that is no record. */
export function corrupt(cause?: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_CORRUPT',
    'What Redis holds under the key of a session is no record; it is kept as it is. See whether something else uses the prefix.',
    { cause },
  )
}

/**
 * The error that a call fails with. Its message has the code of what Redis or the network said, and
 * nothing of the words, which may repeat what was sent.
 *
 * @param where - who failed, for the message: `Redis at localhost:6379`
 */
export function failure(where: string, verb: string, cause: unknown): SessionError {
  if (isSessionError(cause)) return cause
  forgetCommand(cause)
  const code = codeOf(cause)
  if (code === 'WRONGTYPE') return corrupt(cause)
  const reason = code === undefined ? '' : ` (${code})`
  const message = `${where} failed at ${verb}${reason}. ${adviceFor(code)}`
  return new SessionError('ERR_SESSION_STORE', message, { cause })
}

/** True if Redis does not have a script: it was restarted, or its scripts were flushed. */
export function isNoScript(error: unknown): boolean {
  return error instanceof Error && /NOSCRIPT|NoScriptError/.test(error.message)
}

// ECONNREFUSED of the network, WRONGPASS of Redis.
function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  return /^[A-Z]{3,}(?=[ :])/.exec(cause.message)?.[0]
}

function adviceFor(code: string | undefined): string {
  const known = code === undefined ? undefined : ADVICE[code]
  if (known !== undefined) return known
  const unreachable = code === undefined || /^E(?!RR$)[A-Z_]+$/.test(code)
  return unreachable
    ? 'See whether it runs and can be reached there.'
    : 'Its own error is the cause of this one.'
}

const ADVICE: Readonly<Record<string, string>> = {
  NOAUTH: 'It wants a password: give one.',
  WRONGPASS: 'It does not accept this username and password.',
  NOPERM:
    'Allow this user the commands that docs/engines/redis.md names, and the keys that begin with the prefix.',
  OOM: 'Its memory is full: raise maxmemory.',
  READONLY: 'This is a replica: give the address of the primary.',
}

// ioredis adds the command to its errors: with it, what is stored would be in every log.
function forgetCommand(cause: unknown): void {
  if (cause instanceof Error && 'command' in cause) Reflect.deleteProperty(cause, 'command')
}
