import { SessionError } from '../../errors.ts'

/** The error of a server that cannot be reached, or whose connection broke. */
export function unreachable(server: string, cause: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_STORE',
    `Memcached at ${server} cannot be reached. Its sessions come back with it only if it kept running.`,
    { cause },
  )
}

/** The error of a session that is larger than an item of the server may be. */
export function tooLarge(server: string, size: number, limit: number): SessionError {
  return new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `The session has ${size} bytes, and memcached at ${server} takes ${limit}. Keep less in it, or start memcached with a larger -I.`,
  )
}

/** The error of a session that others changed again and again while it was being changed. */
export function crowded(): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    'The session was changed by others each time it was to be written, and nothing was written. Try again.',
  )
}

/** The error of a call that came too late. */
export function closed(): SessionError {
  return new SessionError(
    'ERR_SESSION_CLOSED',
    'The memcached store was closed. Open a store that is still needed.',
  )
}

/**
 * What an answer that is an error means.
 *
 * @param line - the answer; memcached puts nothing of a value into it
 */
export function refused(server: string, line: string): SessionError {
  const cause = new Error(line)
  if (line.startsWith('SERVER_ERROR object too large')) {
    return new SessionError(
      'ERR_SESSION_TOO_LARGE',
      `The session is larger than memcached at ${server} takes, and memcached has dropped it. Keep less in it.`,
      { cause },
    )
  }
  if (line.startsWith('SERVER_ERROR out of memory')) {
    return new SessionError(
      'ERR_SESSION_STORE',
      `Memcached at ${server} is out of memory, and drops what it cannot write. Give it more (-m), and do not start it with -M.`,
      { cause },
    )
  }
  return new SessionError(
    'ERR_SESSION_STORE',
    `Memcached at ${server} refused a command. It must be version 1.6 or later, and open to this process.`,
    { cause },
  )
}
