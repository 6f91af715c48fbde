import { setTimeout as sleep } from 'node:timers/promises'
import { isStale, makeRoom, withEvicted } from '../../change.ts'
import { SessionError } from '../../errors.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  UserCap,
} from '../../store.ts'
import type { Admission, Entry, Users } from './users.ts'

/** What became of a commit, and who was logged in before it. */
export interface Applied {
  readonly outcome: CommitOutcome | 'late'
  readonly owner?: string
}

/** A commit that has to do with the index. */
export interface IndexedCommit {
  readonly id: SessionId
  readonly change: SessionChange
  readonly load: () => Promise<SessionRecord | undefined>
  /** @param latest - the time of Redis after which nothing is written and the outcome is `late` */
  apply(latest?: number): Promise<Applied>
  /** Destroys another session if it is the user's. */
  evict(id: SessionId, user: string): Promise<boolean>
}

/** Commits that change who is logged in, or for how long: the index knows before the record does. */
export class Logins {
  readonly #users: Users
  readonly #deadline: number
  /** The last login of each user of this process: those of one process do not compete. */
  readonly #last = new Map<string, Promise<unknown>>()

  /** @param deadline - ms that a call may take */
  constructor(users: Users, deadline: number) {
    this.#users = users
    this.#deadline = deadline
  }

  async commit(commit: IndexedCommit): Promise<CommitOutcome> {
    const { cap, user } = commit.change
    const entry = await entryOf(commit)
    if (entry === 'gone') return 'gone'
    if (entry !== undefined && cap !== undefined && typeof user === 'string') {
      return this.#inTurn(user, (until) => this.#within({ cap, entry, until }, commit))
    }
    if (entry !== undefined) await this.#users.enter(entry)
    return (await this.#noted(commit, entry, await commit.apply())) as CommitOutcome
  }

  /** Brings the index up to date with what the commit made of the record. */
  async #noted(
    { id, change }: IndexedCommit,
    entry: Entry | undefined,
    { outcome, owner: before }: Applied,
  ): Promise<Applied['outcome']> {
    if (typeof outcome === 'string') return outcome
    const { deadline } = outcome
    const user = change.user === undefined ? before : (change.user ?? undefined)
    const isNoted = entry?.user === user && entry !== undefined && entry.deadline >= deadline
    if (user !== undefined && !isNoted) await this.#users.enter({ user, id, deadline })
    if (before !== undefined && before !== user) this.#users.leave(before, [id])
    return outcome
  }

  async #inTurn<T>(user: string, work: (until: number) => Promise<T>): Promise<T> {
    const until = performance.now() + this.#users.lease + 2 * this.#deadline
    const before = this.#last.get(user) ?? Promise.resolve()
    const mine = before.then(() => work(until))
    const settled = mine.catch(() => undefined)
    this.#last.set(user, settled)
    try {
      return await mine
    } finally {
      if (this.#last.get(user) === settled) this.#last.delete(user)
    }
  }

  async #within(login: CappedLogin, commit: IndexedCommit): Promise<CommitOutcome> {
    const { entry, cap, until } = login
    for (let tries = 0; performance.now() < until; tries++) {
      const admission = await this.#users.admit(entry, cap.most)
      if (admission === undefined) {
        await sleep(1 + Math.random() * Math.min(2 * tries, 20))
        continue
      }
      try {
        const outcome = await this.#admitted(login, admission, commit)
        if (outcome !== 'late') return outcome
      } finally {
        this.#users.release(entry.user, admission)
      }
    }
    throw busy()
  }

  async #admitted(
    { entry }: CappedLogin,
    { others, latest }: Admission,
    commit: IndexedCommit,
  ): Promise<Applied['outcome']> {
    const surplus = others === undefined ? [] : await this.#surplus(entry.user, others, commit)
    if (surplus === 'full') return refusal(commit)
    if (others !== undefined) await this.#users.enter(entry)
    const outcome = await this.#noted(commit, entry, await commit.apply(latest))
    if (typeof outcome === 'string') return outcome
    const ended = await Promise.all(surplus.map((id) => commit.evict(id, entry.user)))
    const evicted = surplus.filter((_, n) => ended[n])
    this.#users.leave(entry.user, evicted)
    return withEvicted(outcome, evicted)
  }

  async #surplus(
    user: string,
    ids: readonly SessionId[],
    { change }: IndexedCommit,
  ): Promise<readonly SessionId[] | 'full'> {
    const owned = await this.#users.owned(user, ids)
    this.#users.leave(user, owned.others)
    return makeRoom(change, () => owned.ids)
  }
}

interface CappedLogin {
  readonly entry: Entry
  readonly cap: UserCap
  /** When it is given up, by `performance.now()`. */
  readonly until: number
}

/**
 * What the index has to know before the commit. Who is logged in, and until when a session can live, is
 * in the change, or else in the record.
 */
async function entryOf({
  id,
  change: { user, deadline },
  load,
}: IndexedCommit): Promise<Entry | 'gone' | undefined> {
  if (user === null) return undefined
  if (user !== undefined && deadline !== undefined) return { user, id, deadline }
  const record = await load()
  if (record === undefined) return 'gone'
  const owner = user ?? record.user
  return owner === undefined
    ? undefined
    : { user: owner, id, deadline: deadline ?? record.deadline }
}

async function refusal({ change, load }: IndexedCommit): Promise<'gone' | 'stale' | 'full'> {
  const record = await load()
  if (record === undefined) return 'gone'
  return isStale(record, change.generation) ? 'stale' : 'full'
}

function busy(): SessionError {
  return new SessionError(
    'ERR_SESSION_TIMEOUT',
    'So many logins of the same user were under way that this one did not come to its turn. Nothing was changed; try again.',
  )
}
