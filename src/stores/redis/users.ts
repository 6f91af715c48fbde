import { randomUUID } from 'node:crypto'
import type { SessionId } from '../../store.ts'
import type { Calls } from './calls.ts'
import { byBucket } from './keys.ts'
import type { Keys } from './keys.ts'
import { patiently } from './moving.ts'
import type { Moving } from './moving.ts'
import { digits } from './packed.ts'
import { OWNED } from './scripts.ts'
import { ADMIT, ENTER, LEAVE, RELEASE } from './user-scripts.ts'

/** A session of a user, as the index has it. */
export interface Entry {
  readonly user: string
  readonly id: SessionId
  /** By the clock of this process. */
  readonly deadline: number
}

/** A login that may go on; the next one of the same user waits until it is released. */
export interface Admission {
  readonly name: string
  /** The time of Redis until which the record may be written. */
  readonly latest: number
  /** What may be other sessions of the user, if they may be too many; the session was not added then. */
  readonly others?: readonly SessionId[]
}

/** Whose sessions they are. */
export interface Owned {
  /** Those of the user; the ones that end first come first. */
  readonly ids: readonly SessionId[]
  /** Those that are not, or have ended. */
  readonly others: readonly SessionId[]
}

const MOST_KEYS = 500
/** ms by which the clocks of two nodes may differ. */
const SKEW = 1000

/** The index of sessions by user. The record says whose a session is; the index only where to look. */
export class Users {
  /** ms after which another login of a user may begin, whatever became of the one before. */
  readonly lease: number
  readonly #calls: Calls
  readonly #keys: Keys
  readonly #moving: Moving
  readonly #protect: string

  constructor(parts: { readonly calls: Calls; readonly keys: Keys; readonly moving: Moving }) {
    const { deadline } = parts.calls
    this.#calls = parts.calls
    this.#keys = parts.keys
    this.#moving = parts.moving
    this.lease = Math.max(3000, 3 * deadline)
    this.#protect = `${Math.max(60_000, 10 * deadline)}`
  }

  /** Adds a session: before its record says whose it is. */
  async enter({ user, id, deadline }: Entry): Promise<void> {
    const { sessions, fresh } = this.#keys.user(user)
    const args = [id, digits(deadline), this.#protect] as const
    const keys = [sessions, fresh] as const
    await this.#patiently(() => this.#calls.timed('login', ENTER, keys, [Date.now(), ...args]))
  }

  /** Removes sessions that were just seen not to be the user's. Nobody waits for that. */
  leave(user: string, ids: readonly SessionId[]): void {
    if (ids.length === 0) return
    const { sessions, fresh } = this.#keys.user(user)
    const keys = [sessions, fresh] as const
    this.#calls.later('logout', () =>
      this.#patiently(() => this.#calls.run('logout', LEAVE, keys, ids)),
    )
  }

  async sessionsOf(user: string): Promise<readonly SessionId[]> {
    const { sessions } = this.#keys.user(user)
    const command = ['ZRANGE', sessions, '0', '-1']
    const found = (await this.#calls.send('sessionsOf', sessions, command)) as unknown[]
    const { ids, others } = await this.owned(user, found.map(String) as SessionId[])
    this.leave(user, others)
    return ids
  }

  /** Asks the records of sessions whether they are the user's. */
  async owned(user: string, ids: readonly SessionId[]): Promise<Owned> {
    const found = await Promise.all(
      byBucket(ids, MOST_KEYS).map((part) => this.#endsOf(user, part)),
    )
    const all = found.flat()
    const living = all
      .filter(({ end }) => /^\d/.test(end))
      .toSorted((a, b) => (a.end < b.end ? -1 : 1))
    return {
      ids: living.map(({ id }) => id),
      others: all.filter(({ end }) => end === '-').map(({ id }) => id),
    }
  }

  /** @returns undefined if another login of the user is under way */
  async admit({ user, id, deadline }: Entry, most: number): Promise<Admission | undefined> {
    const { sessions, fresh, lock } = this.#keys.user(user)
    const name = randomUUID()
    const args = [id, digits(deadline), this.#protect, name, `${this.lease}`, `${most}`] as const
    const keys = [sessions, fresh, lock] as const
    const reply = await this.#patiently(() =>
      this.#calls.timed('login', ADMIT, keys, [Date.now(), ...args]),
    )
    if (reply === 'busy') return undefined
    const [now, ...others] = reply.split('\0')
    const admission = { name, latest: Number(now) + this.lease - SKEW }
    return reply.includes('\0') ? { ...admission, others: others as SessionId[] } : admission
  }

  release(user: string, { name }: Admission): void {
    const { lock } = this.#keys.user(user)
    this.#calls.later('login', () => this.#calls.run('login', RELEASE, [lock], [name]))
  }

  async #endsOf(
    user: string,
    ids: readonly SessionId[],
  ): Promise<readonly { readonly id: SessionId; readonly end: string }[]> {
    const keys = ids.map((id) => this.#keys.record(id)) as [string, ...string[]]
    const ask = (some: readonly [string, ...string[]]): Promise<string> =>
      this.#calls.run('sessionsOf', OWNED, some, [user])
    const reply = await this.#moving.inOneStep(
      this.#keys.bucket(ids[0] as SessionId).registry,
      () => ask(keys),
      async () => (await Promise.all(keys.map((key) => ask([key])))).join(''),
    )
    const ends = reply.split(',')
    return ids.map((id, n) => ({ id, end: ends[n] ?? '?' }))
  }

  /** The keys of a user move in a moment: there are few in a slot. */
  #patiently<T>(call: () => Promise<T>): Promise<T> {
    return patiently(call, this.#calls.deadline)
  }
}
