import { setTimeout as sleep } from 'node:timers/promises'
import type { CommitOutcome, SessionChange, SessionId } from '../../../src/store.ts'
import { IndexedStore } from './engine.ts'
import { TellingStore } from './events.ts'

/** Counts, and then logs in. */
export class CountsBefore extends TellingStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const surplus = this.surplus(id, change)
    await sleep(1)
    if (surplus.length > 0 && change.cap?.full === 'reject') return 'full'
    const { cap: _, ...uncapped } = change
    const outcome = await super.commit(id, uncapped)
    if (typeof outcome === 'string' || surplus.length === 0) return outcome
    for (const other of surplus) this.evict(other)
    return { ...outcome, evicted: surplus }
  }
}

export class EvictsTheNewest extends TellingStore {
  protected override surplus(id: SessionId, change: SessionChange): SessionId[] {
    const { length } = super.surplus(id, change)
    return typeof change.user !== 'string' || length === 0
      ? []
      : this.othersOf(change.user, id)
          .toSorted((a, b) => this.#endOf(b) - this.#endOf(a))
          .slice(0, length)
  }

  #endOf(id: SessionId): number {
    return this.records.get(id)?.expiresAt ?? 0
  }
}

/** What is refused is written all the same. */
export class RefusesAfterwards extends TellingStore {
  protected override async commitAlone(
    id: SessionId,
    change: SessionChange,
  ): Promise<CommitOutcome> {
    const outcome = await super.commitAlone(id, change)
    const { cap: _, user: __, ...rest } = change
    if (outcome === 'full') await super.commitAlone(id, rest)
    return outcome
  }
}

export class CountsItself extends TellingStore {
  protected override othersOf(user: string): SessionId[] {
    return super.othersOf(user, '' as SessionId)
  }
}

export class CountsTheExpired extends TellingStore {
  protected override othersOf(user: string, id: SessionId): SessionId[] {
    return [...this.records].flatMap(([other, record]) =>
      other !== id && record.user === user ? [other] : [],
    )
  }
}

/** Makes room for a login that then does not happen. */
export class MakesRoomFirst extends TellingStore {
  protected override commitAlone(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    if (change.cap?.full === 'evict-oldest') {
      for (const other of this.surplus(id, change)) this.evict(other)
    }
    return super.commitAlone(id, change)
  }
}

/** A commit takes a session out of the index and puts it back. */
export class BlinkingIndex extends IndexedStore {
  readonly #away = new Set<SessionId>()

  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    this.#away.add(id)
    await sleep(1)
    this.#away.delete(id)
    return super.commit(id, change)
  }

  override async sessionsOf(user: string): Promise<readonly SessionId[]> {
    return (await super.sessionsOf(user)).filter((id) => !this.#away.has(id))
  }
}
