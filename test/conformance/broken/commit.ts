import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../../../src/errors.ts'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  StoreCapabilities,
  Touch,
} from '../../../src/store.ts'
import { SimpleStore } from '../simple-store.ts'

const none: ReadonlyMap<string, never> = new Map<string, never>()

/** Reads the record, waits as a network would, and writes all of it back. */
export class LastWriteWins extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const read = await this.load(id)
    await sleep(1)
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    if (typeof outcome === 'object' && record !== undefined && read !== undefined) {
      record.values = new Map([...read.values, ...change.set])
    }
    return outcome
  }
}

/** Saves what it is given, whether or not the session is still there. */
export class Resurrecting extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    if (outcome !== 'gone') return outcome
    const { generation, at, expiresAt, set } = change
    const times = { createdAt: at, renewedAt: at, expiresAt, deadline: expiresAt }
    await this.create(id, { ...times, generation, fence: generation, values: set })
    return { generation, expiresAt, deadline: expiresAt, added: none }
  }
}

/** Saves what is left of a destroyed session under another id. */
export class MovingOn extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    const { at, expiresAt, set: values } = change
    const rest = { createdAt: at, renewedAt: at, deadline: expiresAt, generation: 0, fence: 0 }
    if (outcome === 'gone')
      await this.create(`${id}-2` as SessionId, { ...rest, expiresAt, values })
    return outcome
  }

  dump(): string {
    return JSON.stringify(
      [...this.records].map(([id, { values, ...rest }]) => [id, rest, [...values]]),
    )
  }
}

export class HalfApplied extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const first = await super.commit(id, { ...change, add: none })
    if (typeof first === 'string') return first
    const { at, expiresAt, add } = change
    return super.commit(id, {
      generation: first.generation,
      at,
      expiresAt,
      add,
      set: none,
      unset: [],
    })
  }
}

/** `clear` unsets the names that it knew a moment before. */
export class ClearKeepsOthers extends SimpleStore {
  readonly #known = new Map<SessionId, readonly string[]>()

  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    this.#known.set(id, [...record.values.keys()])
    return super.create(id, record)
  }

  override commit(id: SessionId, { clear, ...change }: SessionChange): Promise<CommitOutcome> {
    const unset = clear === true ? (this.#known.get(id) ?? []) : []
    return super.commit(id, { ...change, unset: [...unset, ...change.unset] })
  }
}

export class SetBeforeUnset extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const set = new Map([...change.set].filter(([name]) => !change.unset.includes(name)))
    return super.commit(id, { ...change, set })
  }
}

export class TornReads extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    let outcome: CommitOutcome = await super.commit(id, { ...change, set: none })
    for (const [name, text] of change.set) {
      outcome = await super.commit(id, { ...change, set: new Map([[name, text]]) })
    }
    return outcome
  }
}

export class LyingAnswer extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    return typeof outcome === 'object' ? { ...outcome, expiresAt: change.expiresAt + 1 } : outcome
  }
}

export class NonAtomicAdd extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const values = (await this.load(id))?.values
    const sums = [...change.add].map(
      ([name, by]) => [name, Number(values?.get(name) ?? 0) + by] as const,
    )
    await sleep(1)
    const set = new Map([...change.set, ...sums.map(([name, sum]) => [name, String(sum)] as const)])
    const outcome = await super.commit(id, { ...change, set, add: none })
    return typeof outcome === 'object' ? { ...outcome, added: new Map(sums) } : outcome
  }
}

export class CoercingAdd extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const values = this.live(id)?.values
    const numbers = [...change.add.keys()].flatMap((name) => {
      const text = values?.get(name)
      return text === undefined ? [] : [[name, String(Number.parseInt(text, 10) || 0)] as const]
    })
    return super.commit(id, { ...change, set: new Map([...numbers, ...change.set]) })
  }
}

/** Writes back the values that were last loaded, with the changes of the request in them. */
export class WholeRecord extends SimpleStore {
  readonly #loaded = new Map<SessionId, ReadonlyMap<string, string>>()

  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await super.load(id, touch)
    if (record !== undefined) this.#loaded.set(id, record.values)
    return record
  }

  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    const values = new Map([...(this.#loaded.get(id) ?? none), ...change.set])
    for (const name of change.unset) values.delete(name)
    if (record !== undefined) record.values = values
    return outcome
  }
}

export class EmptyCommitIsGone extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const size = change.set.size + change.unset.length + change.add.size
    return size === 0 && change.rotate === undefined ? 'gone' : super.commit(id, change)
  }
}

/** Writes a value in two pieces. */
export class Blending extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    await sleep(Math.random() * 5)
    const record = this.live(id)
    for (const [name, text] of record === undefined ? none : change.set) {
      const first = record?.values.get(name)?.slice(0, 1000) ?? ''
      await super.commit(id, { ...change, set: new Map([[name, first + text.slice(1000)]]) })
    }
    return outcome
  }
}

export class SumsAsFractions extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    const sums = typeof outcome === 'object' ? outcome.added : none
    const set = new Map([...sums].map(([name, sum]) => [name, sum.toFixed(1)] as const))
    await super.commit(id, { ...change, add: none, unset: [], set })
    return outcome
  }
}

export class UnsafeSums extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const values = this.live(id)?.values ?? none
    const sums = [...change.add].map(([name, by]) => [
      name,
      `${Number(values.get(name) ?? 0) + by}`,
    ])
    const set = new Map([
      ...change.set,
      ...sums.map(([name, text]) => [name ?? '', text ?? ''] as const),
    ])
    return super.commit(id, { ...change, set, add: none })
  }
}

/** Says that there is no number before it says that there is no session. */
export class NumbersFirst extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const generation = this.live(id)?.fence ?? change.generation
    if (change.add.size > 0 && change.generation < generation) {
      await super.commit(id, { ...change, generation, set: none, unset: [] })
    }
    return super.commit(id, change)
  }
}

/** A correct store that obeys `expect`, for the one that does not. */
export class ExpectingStore extends SimpleStore {
  override readonly capabilities: StoreCapabilities = {
    ...new SimpleStore().capabilities,
    expect: true,
  }

  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const record = this.live(id)
    const { expect, ...rest } = change
    if (record === undefined || change.generation < record.fence) return super.commit(id, rest)
    for (const [name, text] of expect ?? []) {
      if (record.values.get(name) !== text) throw new SessionError('ERR_SESSION_CONFLICT', 'Again.')
    }
    return super.commit(id, rest)
  }
}

/** Says that it obeys `expect`, and ignores it. */
export class ExpectingNothing extends ExpectingStore {
  override commit(id: SessionId, { expect: _, ...change }: SessionChange): Promise<CommitOutcome> {
    return super.commit(id, change)
  }
}

/** Looks, waits, and writes; nothing and an empty text are the same to it. */
export class ExpectingLoosely extends ExpectingStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const { expect, ...rest } = change
    const values = this.live(id)?.values
    await sleep(1)
    for (const [name, text] of expect ?? []) {
      if ((values?.get(name) ?? '') === (text ?? '')) continue
      throw new SessionError('ERR_SESSION_CONFLICT', 'Again.')
    }
    return super.commit(id, rest)
  }
}
