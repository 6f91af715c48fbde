import type { SessionDetails } from '../../administration.ts'
import { isSessionError } from '../../errors.ts'
import type { SessionId } from '../../store.ts'
import { judge } from './end.ts'
import type { EndReason } from './end.ts'

/** A connection, as what watches over its session sees it. */
export interface Member {
  readonly id: SessionId
  /** The generation whose rights it has. */
  generation: number
  /** When its session expires, as far as is known. */
  expiresAt: number
  /** Closes the connection. */
  end(reason: EndReason): void
  /** What comes meanwhile waits. */
  hold(until: Promise<unknown>): void
}

/** Looks at a session; with a generation it is touched too. */
export type Look = (id: SessionId, touch?: number) => Promise<SessionDetails | undefined>

/** How long a session that lives is left alone, and one whose store failed, in ms. */
export interface Pace {
  readonly usual: number
  readonly failing: number
}

// A tenth of the idle time, as for requests; but not ever more often near the end.
const TOUCH_AFTER = 0.1
const LEAST_BETWEEN = 100

/** One session with the connections that belong to it: one look serves them all. */
export class AttendedSession {
  readonly members: Set<Member> = new Set()
  /** When it is to be looked at, in ms since the epoch. */
  dueAt: number = Number.POSITIVE_INFINITY
  readonly #id: SessionId
  readonly #look: Look
  readonly #pace: () => Pace
  #expiresAt: number
  #touchAt = 0
  #touch: number | undefined
  #running: Promise<boolean> | undefined
  #next: Promise<boolean> | undefined

  constructor({ id, expiresAt }: Member, look: Look, pace: () => Pace) {
    this.#id = id
    this.#expiresAt = expiresAt
    this.#look = look
    this.#pace = pace
  }

  /**
   * Looks whether the session lives and ends its connections if not; never rejects. Of calls during
   * one look the next one serves all: what is answered was true after the call.
   *
   * @returns whether the store answered
   */
  ask(): Promise<boolean> {
    if (this.#running === undefined) return this.#begin()
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.#begin()
    })
    return this.#next
  }

  /** There was activity: the session is touched, at most once in a tenth of its idle time. */
  active(member: Member, now: number): void {
    if (now < this.#touchAt) return
    this.#touchAt = Number.POSITIVE_INFINITY
    this.#touch = member.generation
    void this.ask()
  }

  #begin(): Promise<boolean> {
    this.dueAt = Number.POSITIVE_INFINITY
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #run(): Promise<boolean> {
    const touch = this.#touch
    this.#touch = undefined
    try {
      this.#found(await this.#look(this.#id, touch), Date.now())
      return true
    } catch (error) {
      this.#failed(error, Date.now())
      return false
    }
  }

  #found(found: SessionDetails | undefined, now: number): void {
    for (const member of this.members) {
      const reason = judge(found, member.generation, this.#expiresAt, now)
      if (reason !== undefined) member.end(reason)
      else if (found !== undefined) renewMember(member, found)
    }
    if (found !== undefined) this.#plan(found.expiresAt, now)
  }

  #plan(expiresAt: number, now: number): void {
    this.#expiresAt = expiresAt
    this.#touchAt = now + Math.max((expiresAt - now) * TOUCH_AFTER, LEAST_BETWEEN)
    this.dueAt = Math.min(now + this.#pace().usual, Math.max(expiresAt, now + LEAST_BETWEEN))
  }

  // An outage is not an end, until the session would have expired.
  #failed(error: unknown, now: number): void {
    const outage = isSessionError(error) && error.status === 503
    const over = isSessionError(error) && error.code === 'ERR_SESSION_CLOSED'
    if (!outage) this.#endAll('ended')
    else if (over || now >= this.#expiresAt) this.#endAll('unavailable')
    this.#touchAt = now
    this.dueAt = now + this.#pace().failing
  }

  #endAll(reason: EndReason): void {
    for (const member of this.members) member.end(reason)
  }
}

/** A connection that has a right to a session has a right to its current generation. */
export function renewMember(
  member: Pick<Member, 'generation' | 'expiresAt'>,
  found: SessionDetails,
): void {
  member.generation = found.generation
  member.expiresAt = found.expiresAt
}
