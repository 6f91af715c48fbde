import type { SessionId } from '../../store.ts'
import type { Session } from '../../session.ts'
import type { Attendance } from './attendance.ts'
import type { Member } from './attended-session.ts'
import type { EndReason } from './end.ts'
import { Gate } from './gate.ts'
import type { Valve } from './gate.ts'

/** What a connection is made of. */
export interface ConnectionParts {
  readonly attendance: Attendance
  /** Closes it, because its session ended. */
  readonly close: (reason: EndReason) => void
  readonly valve?: Valve
  readonly keepAlive: boolean
  readonly checkMessages: boolean
}

/** What a connection needs to know of the session that it was opened with. */
export type Opened = Pick<Session, 'id' | 'established' | 'generation' | 'expiresAt'>

const NO_VALVE: Valve = { pause() {}, resume() {} }

/** One connection: its messages, and the end of its session. Without a session it just passes on. */
export class Connection {
  generation: number
  expiresAt: number
  readonly #id: SessionId | undefined
  readonly #parts: ConnectionParts
  readonly #gate: Gate
  #reason: EndReason | undefined

  constructor(session: Opened, parts: ConnectionParts) {
    this.#id = session.established ? session.id : undefined
    this.generation = session.generation ?? 0
    this.expiresAt = session.expiresAt ?? 0
    this.#parts = parts
    this.#gate = new Gate(parts.valve ?? NO_VALVE)
    if (this.#isMember()) parts.attendance.join(this)
  }

  /** The session's; undefined if there is none. */
  get id(): SessionId | undefined {
    return this.#id
  }

  /** Why the session ended. */
  get reason(): EndReason | undefined {
    return this.#reason
  }

  /** Delivers a message now, or when it is known that the session lives, or not at all. */
  message(deliver: () => void): void {
    const { attendance, keepAlive, checkMessages } = this.#parts
    if (!this.#isMember() || this.#reason !== undefined) return this.#gate.pass(deliver)
    if (keepAlive) attendance.active(this)
    this.#gate.pass(deliver, checkMessages ? this.#verified() : undefined)
  }

  hold(until: Promise<unknown>): void {
    this.#gate.pass(nothing, until)
  }

  end(reason: EndReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#leave()
    this.#gate.shut()
    this.#parts.close(reason)
  }

  /** The connection is closed; what still waits is delivered first. */
  closed(last: () => void): void {
    this.#gate.finish(() => {
      this.#leave()
      last()
    })
  }

  async #verified(): Promise<void> {
    if (!this.#isMember()) return
    const answered = await this.#parts.attendance.ask(this)
    if (!answered) this.end('unavailable')
  }

  #leave(): void {
    if (this.#isMember()) this.#parts.attendance.leave(this)
  }

  #isMember(): this is Member {
    return this.#id !== undefined
  }
}

function nothing(): void {}
