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
  let failure: unknown
  try {
    await opening
  } catch (error) {
    failure = error
  }
  next(failure)
}

/** @returns an error, or what has to be waited for, if there is any */
function tryToOpen<Data extends object>(attached: RequestSession<Data>): unknown {
  try {
    const opening = attached.openNow()
    return opening instanceof Promise ? opening : undefined
  } catch (error) {
    return error
  }
}
