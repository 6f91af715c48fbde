import type { RequestSession } from './request-session.ts'

/**
 * Opens a session, and calls `next` with the error if it cannot be opened: at once, if nothing has to be
 * waited for.
 */
export function openThen<Data extends object>(
  attached: RequestSession<Data>,
  next: (error?: unknown) => void,
): void | Promise<void> {
  const opening = tryToOpen(attached)
  return opening instanceof Promise ? waitThen(opening, next) : next(opening)
}

async function waitThen(opening: Promise<unknown>, next: (error?: unknown) => void): Promise<void> {
  next(await opening)
}

function tryToOpen<Data extends object>(attached: RequestSession<Data>): unknown {
  try {
    const opening = attached.openNow()
    return opening instanceof Promise ? opening.then(nothing, errorItself) : undefined
  } catch (error) {
    return error
  }
}

function nothing(): undefined {}

function errorItself(error: unknown): unknown {
  return error
}
