import { touched } from '../../change.ts'
import type { SessionId, SessionRecord, Touch } from '../../store.ts'
import { textOf } from './calls.ts'
import type { Calls } from './calls.ts'
import type { Keys } from './keys.ts'
import { digits, unpack } from './packed.ts'
import { TOUCH } from './scripts.ts'

/** Reads records, and moves the idle deadline of those that were read. */
export class Records {
  readonly #calls: Calls
  readonly #keys: Keys

  constructor(calls: Calls, keys: Keys) {
    this.#calls = calls
    this.#keys = keys
  }

  /** The record of a session, in one `GET`. */
  async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const key = this.#keys.record(id)
    const reply = await this.#calls.read('load', key)
    if (reply === null) return undefined
    return this.recordOf(key, Buffer.isBuffer(reply) ? reply : textOf(reply), touch)
  }

  /** The record of what Redis answered, by the clock of this process. */
  recordOf(key: string, reply: string | Buffer, touch: Touch | undefined): SessionRecord {
    const record = unpack(reply, this.#calls.clock.ahead)
    return touch === undefined ? record : this.#touched(key, record, touch)
  }

  // The touch is not waited for. Until an answer has told the time of Redis, it is left to Redis whether
  // a touch is due.
  #touched(key: string, record: SessionRecord, touch: Touch): SessionRecord {
    const after = touched(record, touch)
    if (after !== undefined || !this.#calls.clock.known) this.#touch(key, touch)
    return after ?? record
  }

  #touch(key: string, { at, generation, expiresAt, whenBefore }: Touch): void {
    const args = [digits(at), `${generation}`, digits(expiresAt), digits(whenBefore)]
    // A visitor loses at most this one extension: the next request asks for it again.
    this.#calls.later('touch', async () =>
      this.#calls.clock.learn(at, await this.#calls.run('touch', TOUCH, [key], args)),
    )
  }
}
