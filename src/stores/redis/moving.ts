import { setTimeout as sleep } from 'node:timers/promises'
import { isSessionError } from '../../errors.ts'

/** ms for which a slot counts as moving after Redis has said so. */
const MOVING = 5000
const PAUSE = 20

/**
 * The slots that a cluster is moving from one node to another. While that lasts Redis refuses commands with
 * several keys of the slot (`TRYAGAIN`), and takes those with one: what is one step otherwise is then done
 * in parts.
 */
export class Moving {
  readonly #until = new Map<string, number>()

  /** @param key - any name for the slot */
  has(key: string): boolean {
    return (this.#until.get(key) ?? 0) > performance.now()
  }

  /** Does something in one step, or in parts while the slot is moving. */
  async inOneStep<T>(key: string, step: () => Promise<T>, parts: () => Promise<T>): Promise<T> {
    if (this.has(key)) return parts()
    try {
      return await step()
    } catch (error) {
      const moves = isMoving(error)
      if (moves || isUnclear(error)) this.#until.set(key, performance.now() + MOVING)
      if (!moves) throw error
      return parts()
    }
  }
}

/** Does something as soon as its slot does not move any more, or fails after that many ms. */
export async function patiently<T>(step: () => Promise<T>, ms: number): Promise<T> {
  const until = performance.now() + ms
  for (;;) {
    try {
      return await step()
    } catch (error) {
      if (!isMoving(error) || performance.now() > until) throw error
      await sleep(PAUSE)
    }
  }
}

/**
 * True if GLIDE gave up: it tries again by itself until its time is over, and does not say why. Whether the
 * step was done is not known, but the next one is better done in parts.
 */
function isUnclear(error: unknown): boolean {
  const cause: unknown = isSessionError(error) ? error.cause : undefined
  return cause instanceof Error && cause.constructor.name === 'TimeoutError'
}

/** True if nothing was done, since keys of the slot are on two nodes, or the client found none that has it. */
function isMoving(error: unknown): boolean {
  return (
    isSessionError(error) &&
    error.cause instanceof Error &&
    /TRY_?AGAIN|Too many Cluster redirections/i.test(error.cause.message)
  )
}
