import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { SessionDetails } from '../../administration.ts'
import type { SessionId, StopListening, StoreCapabilities } from '../../store.ts'
import { AttendedSession } from './attended-session.ts'
import type { Look, Member, Pace } from './attended-session.ts'

/** What is needed of a manager. */
export interface Source {
  readonly capabilities: StoreCapabilities
  inspect(id: SessionId, touch?: number): Promise<SessionDetails | undefined>
  watch(
    listener: (event: { readonly type: string; readonly id: SessionId }) => void,
  ): Promise<StopListening>
}

// Where every manager of this process tells what happens; see EVENT_CHANNEL.
const CHANNEL = 'sojourn:session'
const MAY_END: ReadonlySet<unknown> = new Set([
  'destroyed',
  'evicted',
  'expired',
  'elevated',
  'logged-out',
  'renewed',
])
const STEP = 50
// With a step and a look it is below a second.
const WITHOUT_EVENTS = 600
const WITH_EVENTS = 30_000

/**
 * Watches over the sessions of all connections of this process, with one timer. It learns of their end
 * from the events of this process, from those of the store if it has any, and by looking.
 */
export class Attendance {
  readonly #source: Source
  readonly #look: Look
  readonly #every: number | undefined
  readonly #sessions = new Map<SessionId, AttendedSession>()
  #timer: NodeJS.Timeout | undefined
  #watch: Promise<StopListening> | undefined
  #watching = false

  /** @param every - how long a session that lives is left alone, in ms; undefined: what fits the store */
  constructor(source: Source, every: number | undefined) {
    this.#source = source
    this.#look = (id, touch) => source.inspect(id, touch)
    this.#every = every
  }

  /** How many connections there are. */
  get size(): number {
    let sum = 0
    for (const { members } of this.#sessions.values()) sum += members.size
    return sum
  }

  join(member: Member): void {
    const known = this.#sessions.get(member.id)
    const session = known ?? new AttendedSession(member, this.#look, () => this.#pace)
    if (known === undefined) this.#sessions.set(member.id, session)
    session.members.add(member)
    // It may have ended between its opening and now.
    session.dueAt = Math.min(session.dueAt, Date.now() + WITHOUT_EVENTS)
    this.#start()
  }

  leave(member: Member): void {
    const session = this.#sessions.get(member.id)
    session?.members.delete(member)
    if (session?.members.size === 0) this.#sessions.delete(member.id)
    if (this.#sessions.size === 0) this.#pause()
  }

  /** Looks at the session of a connection now. False if the store did not answer. */
  async ask(member: Member): Promise<boolean> {
    return (await this.#sessions.get(member.id)?.ask()) ?? false
  }

  /** A message came. */
  active(member: Member): void {
    this.#sessions.get(member.id)?.active(member, Date.now())
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    for (const { members } of this.#sessions.values()) {
      for (const member of members) member.end('closing')
    }
    this.#pause()
    const watch = this.#watch
    this.#watch = undefined
    this.#watching = false
    await (
      await watch?.catch(() => undefined)
    )?.()
  }

  get #pace(): Pace {
    const usual = this.#every ?? (this.#watching ? WITH_EVENTS : WITHOUT_EVENTS)
    return { usual, failing: Math.min(usual, WITHOUT_EVENTS) }
  }

  #start(): void {
    if (this.#timer !== undefined) return
    subscribe(CHANNEL, this.#heard)
    this.#listen()
    this.#timer = setInterval(() => this.#step(), STEP)
    this.#timer.unref()
  }

  #pause(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    unsubscribe(CHANNEL, this.#heard)
  }

  #step(): void {
    const now = Date.now()
    for (const session of this.#sessions.values()) if (now >= session.dueAt) void session.ask()
  }

  // Listening goes on while there are no connections: others will come.
  #listen(): void {
    const { events = 'none' } = this.#source.capabilities
    if (events === 'none' || this.#watch !== undefined) return
    const watch = this.#source.watch((event) => this.#heard(event))
    this.#watch = watch
    watch.then(
      () => {
        this.#watching = this.#watch === watch
      },
      () => {
        this.#watch = undefined
      },
    )
  }

  readonly #heard = (event: unknown): void => {
    if (typeof event !== 'object' || event === null) return
    if (!MAY_END.has(Reflect.get(event, 'type'))) return
    const session = this.#sessions.get(Reflect.get(event, 'id') as SessionId)
    if (session === undefined) return
    const asked = session.ask()
    for (const member of session.members) member.hold(asked)
  }
}
