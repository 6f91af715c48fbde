import { SessionError } from '../../src/errors.ts'

/** The `SessionError` that an action throws. Anything else, or nothing, fails the test. */
export function refused(action: () => unknown): SessionError {
  try {
    action()
  } catch (error) {
    if (error instanceof SessionError) return error
    throw error
  }
  throw new Error('it was not refused')
}
