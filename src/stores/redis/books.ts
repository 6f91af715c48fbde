import { eventOf } from '../../event-log.ts'
import type { SessionChange, SessionId, SessionRecord, StoreEvent } from '../../store.ts'
import type { Keys } from './keys.ts'
import type { Applied } from './logins.ts'
import type { Moving } from './moving.ts'
import type { Registry } from './registry.ts'
import type { Streams } from './streams.ts'

/** The keys of a script about a session: its record, and what is kept beside it. */
export type SessionKeys = readonly [record: string, ...beside: string[]]

/** Runs a script about a session; the last argument of one that keeps the books is the session. */
export type SessionScript<T> = (keys: SessionKeys, ...session: readonly SessionId[]) => Promise<T>

/**
 * What is kept beside the records: registry and events. A script keeps it in the step in which it writes the
 * record. While the slot moves, the record is written first and the books are kept afterwards.
 */
export class Books {
  readonly #keys: Keys
  readonly #moving: Moving
  readonly #registry: Registry
  readonly #streams: Streams

  constructor(parts: {
    readonly keys: Keys
    readonly moving: Moving
    readonly registry: Registry
    readonly streams: Streams
  }) {
    this.#keys = parts.keys
    this.#moving = parts.moving
    this.#registry = parts.registry
    this.#streams = parts.streams
  }

  /**
   * Runs a script about a session.
   *
   * @param keep - keeps the books, if the script was given the record alone
   */
  write<T>(
    id: SessionId,
    script: SessionScript<T>,
    keep: (books: Books, reply: T) => Promise<unknown>,
  ): Promise<T> {
    return this.#moving.inOneStep(
      this.#keys.bucket(id).registry,
      () => script(this.#keys.all(id), id),
      async () => {
        const reply = await script([this.#keys.record(id)])
        await keep(this, reply)
        return reply
      },
    )
  }

  async created(id: SessionId, { expiresAt, deadline, user }: SessionRecord): Promise<void> {
    await this.#registry.note(id, expiresAt, deadline)
    await this.#tell('created', id, user)
  }

  async committed(id: SessionId, change: SessionChange, applied: Applied): Promise<void> {
    const { outcome, owner } = applied
    if (typeof outcome === 'string') return
    const { user = owner, rotate, deadline, generation } = change
    if (deadline !== undefined) await this.#registry.note(id, outcome.expiresAt, outcome.deadline)
    if (change.user !== undefined || rotate === 'fence')
      await this.#tell('elevated', id, user ?? undefined)
    else if (rotate === 'renew' && outcome.generation === generation + 1)
      await this.#tell('renewed', id, owner)
  }

  async ended(id: SessionId, type: StoreEvent['type'], user: string | undefined): Promise<void> {
    await this.#registry.forget(id)
    await this.#tell(type, id, user)
  }

  #tell(type: StoreEvent['type'], id: SessionId, user: string | undefined): Promise<void> {
    return this.#streams.tell(eventOf(type, id, Date.now(), user))
  }
}
