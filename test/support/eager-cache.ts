import type { SessionId, SessionRecord, Touch } from '../../src/store.ts'
import { CachedStore } from '../../src/stores/cached.ts'

/** Loads everything twice, so that what is answered comes from the cache whenever that is possible. */
export class EagerCache extends CachedStore {
  override async load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined> {
    await super.load(id)
    return super.load(id, touch)
  }
}
