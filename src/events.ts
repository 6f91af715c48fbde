import { channel } from 'node:diagnostics_channel'
import type { SessionErrorCode } from './errors.ts'
import type { SessionId } from './store.ts'

/** What all events have: when it happened, in ms since the epoch. */
interface Happened {
  readonly at: number
}

/** What happened to one session. `id` is the public id; no event ever holds a token or a value. */
export type SessionEvent = Happened &
  (
    | { readonly type: 'created'; readonly id: SessionId; readonly user?: string }
    /** Told by each of several requests that renewed at the same time; the generation is the same. */
    | { readonly type: 'renewed'; readonly id: SessionId; readonly generation: number }
    /** Somebody logged in: older generations are refused from now on. */
    | { readonly type: 'elevated'; readonly id: SessionId; readonly user: string }
    | { readonly type: 'logged-out'; readonly id: SessionId; readonly user?: string }
    | {
        readonly type: 'destroyed'
        readonly id: SessionId
        readonly by: 'request' | 'revoke' | 'edit'
      }
    /** The session was ended because its user has as many as `maxPerUser` allows. */
    | { readonly type: 'evicted'; readonly id: SessionId }
    /** A genuine cookie of an older generation came after its grace, or beyond the fence. */
    | { readonly type: 'replayed'; readonly id: SessionId; readonly generation: number }
    /** A genuine cookie names a session that does not exist (any more). */
    | { readonly type: 'unknown-session'; readonly id: SessionId }
    /** What a request set was dropped: its session ended or was fenced while it ran. */
    | {
        readonly type: 'write-dropped'
        readonly id: SessionId
        readonly outcome: 'gone' | 'stale'
        readonly names: readonly string[]
      }
    /** A cookie with our name that we did not sign, or not with a secret that is on the ring. */
    | { readonly type: 'cookie-refused'; readonly reason: string }
    /** Two different genuine sessions in one request: neither is trusted. */
    | { readonly type: 'ambiguous-cookie' }
    /** A record, or the value `name` of it, cannot be read. It is kept as it is. */
    | { readonly type: 'corrupt'; readonly id: SessionId; readonly name?: string }
    | { readonly type: 'store-failed'; readonly verb: string; readonly code: SessionErrorCode }
    /**
     * A `Secure` cookie went out over plain http: browsers drop it. `message` says what to do. If
     * nobody listens, it is a warning of the process, once.
     */
    | { readonly type: 'insecure-transport'; readonly message: string }
    /** The `observe` callback threw; the session was not affected. */
    | { readonly type: 'observer-failed'; readonly error: unknown }
  )

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'at'> : never

/** An event as the core reports it; the time is added. */
export type SessionEventBody = WithoutTime<SessionEvent>

/** The name of the `node:diagnostics_channel` on which every event of every manager is published. */
export const EVENT_CHANNEL = 'sojourn:session'

/** Tells of events: to the channel, and to the callback of one manager. */
export class SessionEvents {
  readonly #channel = channel(EVENT_CHANNEL)
  readonly #observe: ((event: SessionEvent) => void) | undefined
  readonly #now: () => number
  #warned = false

  constructor(observe: ((event: SessionEvent) => void) | undefined, now: () => number) {
    this.#observe = observe
    this.#now = now
  }

  /** Never throws: an exception of an observer leaves the session as it is (CVE-2021-34428). */
  tell(body: SessionEventBody): void {
    if (this.#observe === undefined && !this.#channel.hasSubscribers) return this.#unheard(body)
    const event: SessionEvent = { ...body, at: this.#now() }
    this.#channel.publish(event)
    try {
      const promise: unknown = this.#observe?.(event)
      if (promise instanceof Promise) promise.catch((error: unknown) => this.#failed(error))
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#channel.publish({ type: 'observer-failed', error, at: this.#now() })
  }

  // Nobody listens. A cookie that browsers drop in silence is looked for for hours: said once, aloud.
  #unheard(body: SessionEventBody): void {
    if (body.type !== 'insecure-transport' || this.#warned) return
    this.#warned = true
    process.emitWarning(body.message, { code: 'SOJOURN_INSECURE_TRANSPORT' })
  }
}
