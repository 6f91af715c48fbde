import { SessionError } from '../../src/errors.ts'
import type * as sojourn from '../../src/store.ts'

type Id = sojourn.SessionId
type Kept = { -readonly [Field in keyof sojourn.SessionRecord]: sojourn.SessionRecord[Field] }

/** Keeps sessions in a Map of this process. No verb waits in its middle: each is one atomic step. */
export class SimpleStore implements sojourn.SessionStore {
  readonly capabilities: sojourn.StoreCapabilities = {
    ...{ engine: 'simple', shared: 'process', durable: 'no', expiry: 'sweep', commit: 'atomic' },
    ...{ clock: 'process', deadline: true, userIndex: false, list: false },
  }
  protected readonly records = new Map<Id, Kept>()

  async load(id: Id, touch?: sojourn.Touch): Promise<sojourn.SessionRecord | undefined> {
    const record = this.live(id)
    if (record !== undefined && record.generation === touch?.generation) extend(record, touch)
    return structuredClone(record)
  }

  async create(id: Id, record: sojourn.SessionRecord): Promise<boolean> {
    if (this.live(id) !== undefined) return false
    this.records.set(id, structuredClone(record))
    return true
  }

  async commit(id: Id, change: sojourn.SessionChange): Promise<sojourn.CommitOutcome> {
    const record = this.live(id)
    if (record === undefined) return 'gone'
    if (change.generation < record.fence) return 'stale'
    const values = new Map(change.clear === true ? [] : record.values)
    for (const name of change.unset) values.delete(name)
    for (const [name, text] of change.set) values.set(name, text)
    const added = new Map([...change.add].map(([name, by]) => [name, sum(values.get(name), by)]))
    for (const [name, number] of added) values.set(name, String(number))
    record.values = values
    applyToFields(record, change)
    return {
      generation: record.generation,
      expiresAt: record.expiresAt,
      deadline: record.deadline,
      added,
    }
  }

  async destroy(id: Id): Promise<boolean> {
    const live = this.live(id) !== undefined
    this.records.delete(id)
    return live
  }

  async swap(
    id: Id,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation = Infinity,
  ): Promise<boolean | 'gone' | 'stale'> {
    const record = this.live(id)
    if (record === undefined) return 'gone'
    if (generation < record.fence) return 'stale'
    if (record.values.get(name) !== before) return false
    const others = [...record.values].filter(([other]) => other !== name)
    record.values = new Map(after === undefined ? others : [...others, [name, after]])
    return true
  }

  async take(id: Id, name: string, generation = Infinity): Promise<string | undefined> {
    const text = this.live(id)?.values.get(name)
    const taken = await this.swap(id, name, text, undefined, generation)
    return taken === true ? text : undefined
  }

  async deleteExpired(limit: number): Promise<number> {
    const expired = [...this.records.keys()].filter((id) => this.live(id) === undefined)
    for (const id of expired.slice(0, limit)) this.records.delete(id)
    return Math.min(limit, expired.length)
  }

  protected live(id: Id): Kept | undefined {
    const record = this.records.get(id)
    return record !== undefined && Date.now() < record.expiresAt ? record : undefined
  }
}

function extend(record: Kept, touch: sojourn.Touch): void {
  if (record.expiresAt >= touch.whenBefore) return
  record.expiresAt = Math.max(record.expiresAt, Math.min(touch.expiresAt, record.deadline))
}

function sum(text: string | undefined, by: number): number {
  const number = /^(0|-?[1-9]\d*)$/.test(text ?? '0') ? Number(text ?? '0') : Number.NaN
  if (Number.isSafeInteger(number) && Number.isSafeInteger(number + by)) return number + by
  throw new SessionError('ERR_SESSION_NOT_A_NUMBER', 'Only a safe integer can be added to.')
}

function applyToFields(record: Kept, change: sojourn.SessionChange): void {
  const { at, deadline, rotate, user, rememberFor } = change
  const asked =
    deadline === undefined ? Math.max(record.expiresAt, change.expiresAt) : change.expiresAt
  record.deadline = deadline ?? record.deadline
  record.expiresAt = Math.min(asked, record.deadline)
  if (rotate === 'fence' || (rotate === 'renew' && change.generation === record.generation)) {
    record.generation++
    record.renewedAt = at
    if (rotate === 'fence') record.fence = record.generation
  }
  if (user === null) {
    delete record.user
    delete record.authenticatedAt
  } else if (user !== undefined) Object.assign(record, { user, authenticatedAt: at })
  if (rememberFor === null) delete record.rememberFor
  else if (rememberFor !== undefined) record.rememberFor = rememberFor
}
