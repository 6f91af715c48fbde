import { setTimeout as sleep } from 'node:timers/promises'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  Touch,
} from '../../../src/store.ts'
import { SimpleStore } from '../simple-store.ts'

export class ShorteningTouch extends SimpleStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = this.live(id)
    const due = touch !== undefined && record?.generation === touch.generation
    if (due && record.expiresAt < touch.whenBefore) record.expiresAt = touch.expiresAt
    return super.load(id)
  }
}

export class TouchBeyondDeadline extends SimpleStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await super.load(id, touch)
    const kept = this.records.get(id)
    if (kept !== undefined && touch !== undefined)
      kept.expiresAt = Math.max(kept.expiresAt, touch.expiresAt)
    return record
  }
}

export class EagerTouch extends SimpleStore {
  override load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    return super.load(id, touch && { ...touch, whenBefore: Infinity })
  }
}

export class StaleTouch extends SimpleStore {
  override load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const generation = this.live(id)?.generation ?? 0
    return super.load(id, touch && { ...touch, generation })
  }
}

/** Touching a destroyed session writes it back. */
export class ResurrectingTouch extends SimpleStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await super.load(id, touch)
    await sleep(1)
    if (record !== undefined && touch !== undefined) this.records.set(id, { ...record })
    return record
  }
}

export class CommitBeyondDeadline extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    if (typeof outcome === 'object' && record !== undefined) record.expiresAt = change.expiresAt
    return outcome
  }
}

export class RenewResetsDeadline extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const deadline = change.rotate === 'renew' ? { deadline: change.expiresAt } : {}
    return super.commit(id, { ...deadline, ...change })
  }
}

export class IgnoringExpiry extends SimpleStore {
  protected override live(id: SessionId): ReturnType<SimpleStore['live']> {
    return this.records.get(id)
  }
}

export class NoTouch extends SimpleStore {
  override load(id: SessionId): Promise<SessionRecord | undefined> {
    return super.load(id)
  }
}

/** Reads the idle deadline, waits, and writes the one it was asked for. */
export class TwoStepTouch extends SimpleStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    const record = await super.load(id)
    const due = record !== undefined && touch !== undefined && record.expiresAt < touch.whenBefore
    if (!due || record.generation !== touch.generation) return record
    await sleep(1)
    const kept = this.records.get(id)
    if (kept !== undefined) kept.expiresAt = Math.min(touch.expiresAt, kept.deadline)
    return record
  }
}

export class DeadlineOnlyGrows extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    if (change.deadline === undefined) return super.commit(id, change)
    const deadline = Math.max(change.deadline, this.live(id)?.deadline ?? 0)
    return super.commit(id, { ...change, deadline })
  }
}

export class CommitDoesNotExtend extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return super.commit(id, { ...change, expiresAt: 0 })
  }
}

/** Nobody removes what has expired. */
export class Immortal extends SimpleStore {
  immortal(): readonly string[] {
    return [...this.records.keys()]
  }
}
