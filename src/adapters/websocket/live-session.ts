import { SessionError } from '../../errors.ts'
import type { SessionManager } from '../../manager.ts'
import type { DefaultData, Name, Value } from '../../session-data.ts'
import type { Session } from '../../session.ts'
import type { SessionId } from '../../store.ts'
import { renewMember } from './attended-session.ts'
import type { Connection } from './connection.ts'
import { judge } from './end.ts'
import type { EndReason } from './end.ts'

type Work<Data extends object, T> = (session: Session<Data>) => T | Promise<T>

/** Leaves an `edit` without storing anything. */
class Left extends Error {}

const MOST_ATTEMPTS = 5

/**
 * The session of one live connection. It keeps nothing: every call sees what requests and other
 * connections have stored, and stores for them.
 */
export class LiveSession<in out Data extends object = DefaultData> {
  /** The public id; undefined if the connection was opened without a session. */
  readonly id: SessionId | undefined
  /** Who is logged in. It cannot change: a login or a logout ends the live session. */
  readonly user: string | undefined
  readonly #manager: SessionManager<Data>
  readonly #connection: Connection

  /** @internal */
  constructor(manager: SessionManager<Data>, session: Session<Data>, connection: Connection) {
    this.id = connection.id
    this.user = connection.id === undefined ? undefined : session.user
    this.#manager = manager
    this.#connection = connection
  }

  /** Why the session ended, as soon as that is known here; the connection is closed then. */
  get ended(): EndReason | undefined {
    return this.#connection.reason
  }

  /** One value, as it is now; `fallback` if there is none, or no session any more. */
  get<K extends Name<Data>>(name: K): Promise<Value<Data, K> | undefined>
  get<K extends Name<Data>, F>(name: K, fallback: F): Promise<Value<Data, K> | F>
  async get<K extends Name<Data>>(name: K, fallback?: unknown): Promise<unknown> {
    const value = await this.read((session) => session.get(name))
    return value === undefined ? fallback : value
  }

  /**
   * Reads the session as it is now. What `work` changes is not stored.
   *
   * @returns what `work` returned; undefined without calling it if there is no session (any more)
   * @throws SessionError with status 503 if the store fails
   */
  async read<T>(work: Work<Data, T>): Promise<T | undefined> {
    let result: T | undefined
    await this.#within(async (session) => {
      result = await work(session)
      throw new Left()
    })
    return result
  }

  /**
   * Changes the session; what `work` did is stored when this resolves, together with what others
   * changed meanwhile. Logging in and renewing need a response: they throw.
   *
   * @returns what `work` returned; undefined if there is no session (any more): nothing was stored
   * @throws SessionError with status 503 if the store fails
   */
  async edit<T>(work: Work<Data, T>): Promise<T | undefined> {
    let stored: { readonly result: T; readonly isStored: () => boolean } | undefined
    await this.#within(async (session) => {
      const result = await work(session)
      const goesOn = session.established
      stored = { result, isStored: () => session.established || !goesOn }
    })
    if (stored?.isStored() === true) return stored.result
    if (stored !== undefined) await this.#lookAgain()
    return undefined
  }

  /** Names nothing of the values: a connection may be written to a log. */
  toJSON(): object {
    const { id, user, ended } = this
    return { id, user, ended }
  }

  /** Runs `work` with the session, if this connection still has a right to it. */
  async #within(work: (session: Session<Data>) => Promise<void>): Promise<void> {
    const { id } = this
    if (id === undefined) return
    for (let attempt = 0; this.ended === undefined; attempt++) {
      if (attempt === MOST_ATTEMPTS) throw restless()
      if (await this.#attempt(id, work)) return
      await this.#lookAgain()
    }
  }

  // By its id alone a session could be edited after a login, too: the generation says that there was none.
  async #attempt(id: SessionId, work: (session: Session<Data>) => Promise<void>): Promise<boolean> {
    let reached = false
    try {
      await this.#manager.edit(id, async (session) => {
        if (session.generation !== this.#connection.generation) throw new Left()
        reached = true
        await work(session)
      })
    } catch (error) {
      if (!(error instanceof Left)) throw error
    }
    return reached
  }

  async #lookAgain(): Promise<void> {
    if (this.id === undefined) return
    const found = await this.#manager.inspect(this.id)
    const { generation, expiresAt } = this.#connection
    const reason = judge(found, generation, expiresAt, Date.now())
    if (reason !== undefined) this.#connection.end(reason)
    else if (found !== undefined) renewMember(this.#connection, found)
  }
}

function restless(): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    `The session was renewed ${MOST_ATTEMPTS} times while a connection tried to use it. Try again.`,
  )
}
