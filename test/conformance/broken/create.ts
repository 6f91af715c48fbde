import { setTimeout as sleep } from 'node:timers/promises'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  Touch,
} from '../../../src/store.ts'
import { SimpleStore } from '../simple-store.ts'

const none: ReadonlyMap<string, never> = new Map<string, never>()

export class OverwritingCreate extends SimpleStore {
  override async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const fresh = this.live(id) === undefined
    this.records.set(id, structuredClone(record))
    return fresh
  }
}

export class TwoStepCreate extends SimpleStore {
  override async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    if (this.live(id) !== undefined) return false
    await sleep(1)
    this.records.set(id, structuredClone(record))
    return true
  }
}

export class SharedObjects extends SimpleStore {
  override async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    if (this.live(id) !== undefined) return false
    this.records.set(id, record)
    return true
  }
}

export class EmptyIsMissing extends SimpleStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await super.load(id, touch)
    return record?.values.size === 0 ? undefined : record
  }
}

/** An engine that keeps values apart from records, and forgets them when the record ends. */
export class LeavingValues extends SimpleStore {
  readonly #values = new Map<SessionId, ReadonlyMap<string, string>>()

  override async destroy(id: SessionId): Promise<boolean> {
    const record = this.live(id)
    if (record !== undefined) this.#values.set(id, record.values)
    return super.destroy(id)
  }

  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const left = this.#values.get(id) ?? none
    return super.create(id, { ...record, values: new Map([...left, ...record.values]) })
  }

  dump(): string {
    const all = [...this.records.values()].map(({ values, ...rest }) => [rest, [...values]])
    return JSON.stringify([all, [...this.#values.values()].map((values) => [...values])])
  }
}

export class DestroyAlwaysTrue extends SimpleStore {
  override async destroy(id: SessionId): Promise<boolean> {
    await super.destroy(id)
    return true
  }
}

/** Keeps the user beside the values, under a name that it believes nobody uses. */
export class ReservedName extends SimpleStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await super.load(id, touch)
    return (
      record && { ...record, values: new Map([...record.values].filter(([name]) => name !== '#')) }
    )
  }
}

/** Keeps values as fields of an object. */
export class ObjectValues extends SimpleStore {
  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const fields: Record<string, string> = {}
    for (const [name, text] of record.values) fields[name] = text
    return super.create(id, { ...record, values: new Map(Object.entries(fields)) })
  }
}

export class TrimmingTexts extends SimpleStore {
  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const values = [...record.values].map(([name, text]) => [name, text.trim()] as const)
    return super.create(id, { ...record, values: new Map(values) })
  }
}

/** Cuts what is too long. */
export class Truncating extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const set = [...change.set].map(([name, text]) => [name, text.slice(0, 1_000_000)] as const)
    return super.commit(id, { ...change, set: new Map(set) })
  }
}

/** A load leaves an empty record behind. */
export class CreatingLoad extends SimpleStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await super.load(id, touch)
    const at = Date.now()
    const times = { createdAt: at, renewedAt: at, expiresAt: at + 60_000, deadline: at + 60_000 }
    await this.create(id, { ...times, generation: 0, fence: 0, values: none })
    return record
  }
}

export class ForgettingClient extends SimpleStore {
  override create(id: SessionId, { client, ...record }: SessionRecord): Promise<boolean> {
    return super.create(id, client === undefined ? record : { ...record, client: {} })
  }
}

/** Writes zeros and empty texts where there was nothing. */
export class FillingFields extends SimpleStore {
  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    return super.create(id, { user: '', authenticatedAt: 0, ...record })
  }
}

/** What was overwritten or removed stays in the engine. */
export class KeepingHistory extends SimpleStore {
  readonly #history: string[] = []

  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    this.#history.push(JSON.stringify([...(this.live(id)?.values ?? [])]))
    return super.commit(id, change)
  }

  dump(): string {
    return (
      JSON.stringify([...this.records.values()].map(({ values }) => [...values])) +
      this.#history.join()
    )
  }
}

export class ShortTexts extends SimpleStore {
  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const values = [...record.values].map(([name, text]) => [name, text.slice(0, 30_000)] as const)
    return super.create(id, { ...record, values: new Map(values) })
  }
}

export class EmptyNameIsNoName extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return super.commit(id, { ...change, unset: change.unset.filter(Boolean) })
  }
}

export class AtMost256Names extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return super.commit(id, { ...change, unset: change.unset.slice(0, 256) })
  }
}
