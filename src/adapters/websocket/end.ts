import type { SessionDetails } from '../../administration.ts'

/**
 * Why a live session ended.
 *
 * | reason | what happened | close code |
 * |---|---|---|
 * | `ended` | it was destroyed, revoked, evicted, or its user logged out | 1008, or `closeCode` |
 * | `fenced` | somebody logged in or out with it: what was opened before is refused | 1008, or `closeCode` |
 * | `expired` | it was idle for too long, or has reached its absolute end | 1008, or `closeCode` |
 * | `unavailable` | the store did not answer until after the time at which it would have expired | 1013 |
 * | `closing` | `close()` was called | 1001 |
 */
export type EndReason = 'ended' | 'fenced' | 'expired' | 'unavailable' | 'closing'

/** How a connection is closed, as RFC 6455 section 7.4 has it. */
export interface Closing {
  readonly code: number
  readonly reason: string
}

/** Policy violation, RFC 6455 section 7.4.1. */
export const POLICY_VIOLATION = 1008
const GOING_AWAY = 1001
const TRY_AGAIN_LATER = 1013

// By the clock of the store a session may end a little earlier than by ours.
const CLOCKS_DIFFER_BY = 100

/** What a client is told. */
export function closingOf(reason: EndReason, code: number): Closing {
  if (reason === 'closing') return { code: GOING_AWAY, reason: 'server closing' }
  if (reason === 'unavailable') return { code: TRY_AGAIN_LATER, reason: 'session unavailable' }
  return { code, reason: `session ${reason}` }
}

/**
 * Whether a connection that was opened under a generation has lost its session, and why.
 *
 * @param expiresAt - when the session was last known to expire
 */
export function judge(
  found: Pick<SessionDetails, 'fence'> | undefined,
  generation: number,
  expiresAt: number,
  now: number,
): EndReason | undefined {
  if (found === undefined) return now >= expiresAt - CLOCKS_DIFFER_BY ? 'expired' : 'ended'
  return generation < found.fence ? 'fenced' : undefined
}
