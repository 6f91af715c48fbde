import { isSessionError } from './errors.ts'
import { standingOf } from './decide.ts'
import type { SessionError } from './errors.ts'
import type { Presented } from './recent-cookies.ts'
import type { SessionEvents } from './events.ts'
import type { Policy } from './policy.ts'
import { Replays } from './replays.ts'
import type { SessionId, SessionRecord, SessionStore, Touch } from './store.ts'

// The idle deadline moves only when less than this part of the idle time is left: most requests of an
// active visitor write nothing.
const TOUCH_BELOW = 0.9

/** What a genuine cookie opened. */
export type Opened =
  | {
      readonly kind: 'live'
      readonly record: SessionRecord
      readonly reissue: boolean
      readonly renew: boolean
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'outage'; readonly error: SessionError }

/** Loads the record of a genuine cookie and judges whether the cookie may use it. */
export class Opener {
  readonly #store: SessionStore
  readonly #policy: Policy
  readonly #events: SessionEvents
  readonly #replays: Replays

  constructor(store: SessionStore, policy: Policy, events: SessionEvents) {
    this.#replays = new Replays(store)
    this.#store = store
    this.#policy = policy
    this.#events = events
  }

  /** @throws SessionError if the store fails and the policy is `fail` */
  async open(presented: Presented, now: number): Promise<Opened> {
    const touch = this.#touch(presented.generation, now)
    try {
      const record = await this.#store.load(presented.id, touch)
      if (record === undefined) return this.#unknown(presented)
      return this.#judge(presented, record, touch)
    } catch (error) {
      return this.#failed(presented, error)
    }
  }

  /** The same, if it is known without waiting for the store; else undefined. */
  openNow(presented: Presented, now: number): Opened | undefined {
    const touch = this.#touch(presented.generation, now)
    const record = this.#store.loadNow?.(presented.id, touch)
    if (record === undefined) return undefined
    return record === 'none' ? this.#unknown(presented) : this.#judge(presented, record, touch)
  }

  /**
   * The live record under an id, without a cookie.
   *
   * @param generation - moves the idle deadline, as a request of that generation would
   */
  look(id: SessionId, now: number, generation?: number): Promise<SessionRecord | undefined> {
    return this.#store.load(id, generation === undefined ? undefined : this.#touch(generation, now))
  }

  #touch(generation: number, at: number): Touch {
    const { idle } = this.#policy
    return { generation, at, expiresAt: at + idle, whenBefore: at + Math.floor(idle * TOUCH_BELOW) }
  }

  #unknown({ id }: Presented): Opened {
    this.#events.tell({ type: 'unknown-session', id })
    return { kind: 'none' }
  }

  #judge(presented: Presented, record: SessionRecord, touch: Touch): Opened {
    const { grace, renewAfter = Number.POSITIVE_INFINITY, cookie } = this.#policy
    const standing = standingOf(record, presented.generation, touch.at, grace)
    if (standing === 'refused') {
      const { id, generation } = presented
      this.#events.tell({ type: 'replayed', id, generation })
      this.#replays.tell(id, touch.at, record.user)
      return { kind: 'none' }
    }
    const extended = cookie.persistent && wasTouched(record, touch)
    const reissue = standing === 'grace' || presented.outdatedKey || extended
    return { kind: 'live', record, reissue, renew: touch.at - record.renewedAt >= renewAfter }
  }

  // What cannot be read is no session, and stays where it is; a store that fails is not an absence.
  #failed({ id }: Presented, error: unknown): Opened {
    if (!isSessionError(error)) throw error
    if (error.code === 'ERR_SESSION_CORRUPT') {
      this.#events.tell({ type: 'corrupt', id })
      return { kind: 'none' }
    }
    if (this.#policy.onStoreFailure === 'anonymous' && error.status === 503)
      return { kind: 'outage', error }
    throw error
  }
}

// At the absolute end the idle deadline stands still, so that the cookie is sent each time then.
function wasTouched({ expiresAt, deadline, rememberFor }: SessionRecord, touch: Touch): boolean {
  if (rememberFor !== undefined) return false
  return expiresAt === touch.expiresAt || expiresAt === deadline
}
