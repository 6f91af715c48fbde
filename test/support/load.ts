import { setTimeout as sleep } from 'node:timers/promises'
import { isSessionError } from '../../src/errors.ts'
import type {
  CommitOutcome,
  Committed,
  SessionId,
  SessionRecord,
  SessionStore,
} from '../../src/store.ts'
import { newChange, newId, newRecord } from './records.ts'

/** What a load may do. */
export interface LoadOptions {
  /** How many requests are under way at once. @default 12 */
  readonly writers?: number
  /** ms between two requests of a writer. @default 4 */
  readonly pause?: number
  /** ms by which every request must have been answered. @default 10000 */
  readonly patience?: number
  /** How many requests a writer makes at most. @default 5000 */
  readonly most?: number
}

/** What became of the requests of a load. */
export interface Outcomes {
  readonly writers: number
  readonly acknowledged: number
  /** Answered with status 503: an outage, whatever it was. */
  readonly failed: number
  /** Answered as if there was no such session. */
  readonly gone: number
  /** Acknowledged before the engine was started again empty. */
  readonly forgotten: number
  /** Acknowledged writes that are not there afterwards. */
  readonly lost: number
  /** Writes that are there more often than they were sent. */
  readonly doubled: number
  /** Sessions that are there although their end was acknowledged. */
  readonly resurrected: number
  /** Requests that nobody answered in time. */
  readonly hanging: number
  /** ms that the slowest answer took. */
  readonly slowest: number
  /** Every other answer: there should be none. */
  readonly strange: readonly string[]
}

interface Row {
  readonly session: SessionId
  readonly name: string
  sent: number
  acknowledged: number
}

const SESSIONS = 4
const OUTAGES: ReadonlySet<string> = new Set(['ERR_SESSION_STORE', 'ERR_SESSION_TIMEOUT'])
const UNSENT = /the process of the kit (has )?ended/

/**
 * Requests of many writers to one engine, which remember what they were answered. Two in three add to
 * numbers in sessions that they share; the others begin sessions and end them while late requests of
 * those sessions are still under way. A fault is made while it runs; afterwards everything that was
 * acknowledged is looked for.
 */
export class Load {
  readonly #stores: readonly SessionStore[]
  readonly #options: Required<LoadOptions>
  readonly #ended: SessionId[] = []
  readonly #strange: string[] = []
  #sessions: readonly SessionId[] = []
  #begun: SessionId[] = []
  #rows = new Map<number, Row>()
  #writing: Promise<void>[] = []
  #acknowledged = 0
  #failed = 0
  #gone = 0
  #forgotten = 0
  #hanging = 0
  #slowest = 0
  #last = 'none'
  #stopped = false

  /** @param stores - the writers use them in turn; one that is replaced in the array is used from then on */
  constructor(stores: readonly SessionStore[], options: LoadOptions = {}) {
    this.#stores = stores
    this.#options = { writers: 12, pause: 4, patience: 10_000, most: 5000, ...options }
  }

  /** Makes the sessions and lets the writers go. */
  async begin(): Promise<void> {
    await this.#makeSessions()
    this.#writing = Array.from({ length: this.#options.writers }, (_, n) => this.#write(n))
  }

  /** To be called when the engine is back and has forgotten everything, as its documentation says. */
  async beginAnew(): Promise<void> {
    this.#forgotten += sum([...this.#rows.values()].map(({ acknowledged }) => acknowledged))
    this.#forgotten += this.#begun.length
    this.#begun = []
    await this.#makeSessions()
    this.#rows = new Map()
  }

  /** Resolves when that many more writes have been acknowledged. */
  acknowledged(more: number): Promise<void> {
    const wanted = this.#acknowledged + more
    return this.#until(() => this.#acknowledged >= wanted, `${more} acknowledged writes`)
  }

  /** Resolves when that many more requests have failed, or were told that their session is gone. */
  failed(more: number): Promise<void> {
    const wanted = this.#failed + this.#gone + more
    return this.#until(() => this.#failed + this.#gone >= wanted, `${more} failed requests`)
  }

  /** Lets the writers end. */
  async end(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#writing)
  }

  /**
   * Looks for everything that was acknowledged.
   *
   * @param store - one that has not taken part, as another process would
   */
  async verify(store: SessionStore): Promise<Outcomes> {
    const stored = await this.#stored(store)
    const rows = [...this.#rows.values()]
    const lost = rows.map((row) => Math.max(0, row.acknowledged - stored(row)))
    const doubled = rows.map((row) => Math.max(0, stored(row) - row.sent))
    const ended = await Promise.all(this.#ended.map((id) => found(store, id)))
    const begun = await Promise.all(this.#begun.map((id) => found(store, id)))
    return {
      writers: this.#options.writers,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      gone: this.#gone,
      forgotten: this.#forgotten,
      lost: sum(lost) + begun.filter((record) => record === undefined).length,
      doubled: sum(doubled),
      resurrected: ended.filter((record) => record !== undefined).length,
      hanging: this.#hanging,
      slowest: Math.round(this.#slowest),
      strange: this.#strange,
    }
  }

  async #makeSessions(): Promise<void> {
    const ids = Array.from({ length: SESSIONS }, newId)
    for (const id of ids) await this.#store(0).create(id, newRecord())
    this.#sessions = ids
  }

  async #stored(store: SessionStore): Promise<(row: Row) => number> {
    const records = new Map<SessionId, ReadonlyMap<string, string> | undefined>()
    for (const id of this.#sessions) records.set(id, (await found(store, id))?.values)
    return ({ session, name }) => Number(records.get(session)?.get(name) ?? 0)
  }

  async #write(writer: number): Promise<void> {
    for (let round = 0; round < this.#options.most && !this.#stopped; round++) {
      if (writer % 3 === 2) await this.#beginAndEnd(writer, round)
      else await this.#add(writer)
      await sleep(this.#options.pause)
    }
  }

  async #add(writer: number): Promise<void> {
    const row = this.#row(writer)
    row.sent++
    const change = newChange({ add: new Map([[row.name, 1]]) })
    const answer = await this.#ask('commit', () => this.#store(writer).commit(row.session, change))
    if (isCommitted(answer)) {
      row.acknowledged++
      this.#acknowledged++
    } else if (answer === 'gone') this.#gone++
    else if (answer !== undefined) this.#strange.push(`commit: ${answer}`)
  }

  /** Every fourth session is left to be found; the others are ended while they are written to. */
  async #beginAndEnd(writer: number, round: number): Promise<void> {
    const id = newId()
    const store = this.#store(writer)
    const created = await this.#ask('create', () => store.create(id, newRecord()))
    if (created === undefined) return
    if (!created) this.#strange.push('create: false, for a new id')
    this.#acknowledged++
    if (round % 4 === 0) this.#begun.push(id)
    else await this.#end(writer, id)
  }

  async #end(writer: number, id: SessionId): Promise<void> {
    const change = newChange({ set: new Map([['late', '1']]) })
    const late = [0, 1].map((n) =>
      this.#ask('commit', () => this.#store(writer + n).commit(id, change)),
    )
    const destroyed = await this.#ask('destroy', () => this.#store(writer).destroy(id))
    await Promise.all(late)
    if (destroyed === undefined) return
    if (destroyed) this.#acknowledged++
    else this.#gone++
    this.#ended.push(id)
  }

  /** The answer; undefined if the request failed as it may. */
  async #ask<T>(verb: string, call: () => Promise<T>): Promise<T | undefined> {
    const begun = performance.now()
    const timer = setTimeout(() => this.#hanging++, this.#options.patience)
    try {
      return await call()
    } catch (error) {
      this.#last = String(error)
      if (isOutage(error)) this.#failed++
      else this.#strange.push(`${verb}: ${String(error)}`)
      return undefined
    } finally {
      clearTimeout(timer)
      this.#slowest = Math.max(this.#slowest, performance.now() - begun)
    }
  }

  #store(writer: number): SessionStore {
    const store = this.#stores[writer % this.#stores.length]
    if (store === undefined) throw new TypeError('A load needs a store.')
    return store
  }

  #row(writer: number): Row {
    const session = this.#sessions[writer % SESSIONS] ?? newId()
    const kept = this.#rows.get(writer)
    if (kept?.session === session) return kept
    const row = { session, name: `w${writer}`, sent: 0, acknowledged: 0 }
    this.#rows.set(writer, row)
    return row
  }

  #state(): string {
    const counts = `${this.#acknowledged} acknowledged, ${this.#failed} failed, ${this.#gone} gone`
    return [counts, `the last failure: ${this.#last}`, ...this.#strange].join('; ')
  }

  /** The bound is for machines that are busy; a load that cannot come so far is stuck. */
  async #until(reached: () => boolean, what: string): Promise<void> {
    const end = performance.now() + 30_000
    while (!reached()) {
      if (performance.now() > end) throw new Error(`No ${what} in 30 s: ${this.#state()}`)
      await sleep(5)
    }
  }
}

function isCommitted(answer: CommitOutcome | undefined): answer is Committed {
  return typeof answer === 'object'
}

/** An outage, or the end of the process that would have answered. */
function isOutage(error: unknown): boolean {
  if (isSessionError(error)) return OUTAGES.has(error.code)
  return error instanceof Error && UNSENT.test(error.message)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

// A client may still be finding its way after a fault: what it cannot read yet is not lost.
async function found(
  store: SessionStore,
  id: SessionId,
  tries = 100,
): Promise<SessionRecord | undefined> {
  try {
    return await store.load(id)
  } catch (error) {
    if (tries === 0 || !isSessionError(error) || error.status !== 503) throw error
    await sleep(100)
    return found(store, id, tries - 1)
  }
}
