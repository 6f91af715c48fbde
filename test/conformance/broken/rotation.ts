import type { CommitOutcome, SessionChange, SessionId } from '../../../src/store.ts'
import { SimpleStore } from '../simple-store.ts'

const none: ReadonlyMap<string, never> = new Map<string, never>()

export class IgnoringFence extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const generation = Math.max(change.generation, this.live(id)?.fence ?? 0)
    return super.commit(id, { ...change, generation })
  }
}

export class FencelessSwap extends SimpleStore {
  override swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
  ): Promise<boolean | 'gone' | 'stale'> {
    return super.swap(id, name, before, after)
  }
}

export class StrictGeneration extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const record = this.live(id)
    if (record !== undefined && record.generation !== change.generation) return 'stale'
    return super.commit(id, change)
  }
}

export class EveryRenewalCounts extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const generation = this.live(id)?.generation ?? 0
    return super.commit(id, change.rotate === 'renew' ? { ...change, generation } : change)
  }
}

/** Writes the identity it loaded, not the one it was asked to. */
export class RevertingIdentity extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    if (record !== undefined && change.user === undefined) delete record.user
    return outcome
  }
}

export class LoginWithoutTime extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const before = this.live(id)?.authenticatedAt
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    if (record !== undefined && before !== undefined) record.authenticatedAt = before
    return outcome
  }
}

export class RenewalIsAFence extends SimpleStore {
  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    return super.commit(id, change.rotate === undefined ? change : { ...change, rotate: 'fence' })
  }
}

export class FenceOneTooLow extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    if (typeof outcome === 'object' && change.rotate === 'fence' && record) record.fence--
    return outcome
  }
}

/** Answers, and rotates a little later. */
export class LateRotation extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const { rotate, ...rest } = change
    const outcome = await super.commit(id, rest)
    if (rotate === undefined || typeof outcome === 'string') return outcome
    setTimeout(() => void super.commit(id, { ...change, set: none }).catch(() => undefined), 1)
    return { ...outcome, generation: outcome.generation + 1 }
  }
}

export class LogoutKeepsTheTime extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const time = this.live(id)?.authenticatedAt
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    if (record !== undefined && change.user === null && time !== undefined)
      record.authenticatedAt = time
    return outcome
  }
}

export class RememberingSticks extends SimpleStore {
  override commit(
    id: SessionId,
    { rememberFor, ...change }: SessionChange,
  ): Promise<CommitOutcome> {
    return super.commit(id, typeof rememberFor === 'number' ? { ...change, rememberFor } : change)
  }
}

export class LoginIsANewSession extends SimpleStore {
  override async commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = await super.commit(id, change)
    const record = this.records.get(id)
    if (record !== undefined && typeof change.user === 'string') record.createdAt = change.at
    return outcome
  }
}
