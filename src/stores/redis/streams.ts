import type { Claim, EventLog, LoggedEvent } from '../../event-log.ts'
import { eventOf } from '../../event-log.ts'
import type { SessionId, StoreEvent } from '../../store.ts'
import type { Calls } from './calls.ts'
import { JOIN, LOOK, POSTPONE, READ, TAKE_EVENT, tellCommand } from './event-scripts.ts'
import { TAGS } from './keys.ts'
import type { Bucket, Keys } from './keys.ts'
import { checked } from './packed.ts'
import type { Registry } from './registry.ts'

/** ms between two looks at what others have told. */
export const LISTEN_EVERY = 500
/** ms for which a stream is kept for a watcher that does not come back, and how often that is said. */
const WATCHED = 60_000
const WATCHING_EVERY = 15_000
/** ms for which a stream is kept for a group that has no consumer. */
const KEPT = 86_400_000
/** ms between two looks for sessions that have expired. */
const EXPIRE_EVERY = 1000
const BATCH = 200
const BUCKETS: readonly number[] = TAGS.map((_, index) => index)

/** An event as it stands in a bucket. */
interface Entry {
  /** Where it stands in the stream: ms, `-`, and a number. */
  readonly place: string
  readonly event: StoreEvent
}

/** What one consumer has of a bucket. */
interface Taken {
  readonly bucket: number
  readonly place: string
}

/**
 * The events of all buckets as one log. Its positions are of this process: they say in which order the
 * events were read here. Events of one session are in the order in which they happened.
 */
export class Streams implements EventLog {
  readonly #calls: Calls
  readonly #keys: Keys
  readonly #registry: Registry
  /** Up to where each bucket was read. */
  readonly #places: (string | undefined)[] = BUCKETS.map(() => undefined)
  /** Where the events stand that were handed out. */
  readonly #taken = new WeakMap<Claim, Taken>()
  readonly #work = new Map<string, Work>()
  #read: LoggedEvent[] = []
  #position = 0
  #claims = 0
  #reading: Promise<unknown> = Promise.resolve()
  #keptAt = -Infinity
  #expiredAt = -Infinity

  constructor(calls: Calls, keys: Keys, registry: Registry) {
    this.#calls = calls
    this.#keys = keys
    this.#registry = registry
  }

  async end(): Promise<number> {
    while (await this.#inTurn(() => this.#readAll())) continue
    return this.#position
  }

  async after(position: number, limit: number): Promise<readonly LoggedEvent[]> {
    this.#forget(position)
    if (this.#read.length === 0) await this.#inTurn(() => this.#readAll())
    this.#forget(position)
    return this.#read.slice(0, limit)
  }

  async join(group: string): Promise<void> {
    const args = [group, `${KEPT}`]
    await Promise.all(
      this.#keys.buckets.map(({ events }) => this.#calls.run('consume', JOIN, [events], args)),
    )
  }

  async claim(group: string, now: number, until: number): Promise<Claim | undefined> {
    const lease = until - now
    const work = this.#workOf(group)
    if (work.isDue()) work.found(await this.#look(group, lease))
    for (let bucket = work.next; bucket !== undefined; bucket = work.next) {
      const claim = await this.#claimIn(bucket, group, lease)
      if (claim !== undefined) return claim
      work.nothingIn(bucket)
    }
    return undefined
  }

  async postpone(claim: Claim, until: number): Promise<void> {
    const taken = this.#taken.get(claim)
    if (taken === undefined) return
    const { lease } = this.#workOf(claim.group)
    const args = [`${lease}`, taken.place, `${claim.tries}`, `${until - Date.now()}`]
    const events = this.#eventsOf(taken.bucket)
    await this.#calls.run('consume', POSTPONE, [events], [claim.group, ...args])
  }

  async finish(claim: Claim): Promise<void> {
    const taken = this.#taken.get(claim)
    if (taken === undefined) return
    const events = this.#eventsOf(taken.bucket)
    await this.#calls.send('consume', events, ['XACK', events, claim.group, taken.place])
  }

  async tell({ type, id, at, user }: StoreEvent): Promise<void> {
    const { events } = this.#keys.bucket(id)
    const time = `${Math.floor(at + this.#calls.clock.ahead)}`
    const fields = ['type', type, 'id', checked(id), 'at', time]
    if (user !== undefined) fields.push('user', checked(user))
    await this.#calls.send('tell', events, tellCommand(events, fields))
  }

  #forget(position: number): void {
    this.#read = this.#read.filter((entry) => entry.position > position)
  }

  /** One at a time: two who read at once would both read the same. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#reading.then(work)
    this.#reading = mine.catch(() => undefined)
    return mine
  }

  /** Reads on in every bucket. True if there may be more. */
  async #readAll(): Promise<boolean> {
    await this.#expire()
    const isKept = performance.now() - this.#keptAt < WATCHING_EVERY
    const began = performance.now()
    const read = await Promise.allSettled(BUCKETS.map((bucket) => this.#readIn(bucket, isKept)))
    const entries = read.flatMap((one) => valueOf(one) ?? [])
    // What was read was read: it is told, also if another bucket cannot be reached.
    for (const { event } of entries.toSorted(byPlace)) {
      this.#read.push({ position: ++this.#position, event })
    }
    const failed = read.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    if (!isKept) this.#keptAt = began
    return read.some((one) => valueOf(one)?.length === BATCH)
  }

  async #readIn(bucket: number, isKept: boolean): Promise<readonly Entry[]> {
    const from = this.#places[bucket]
    const keep = from === undefined || !isKept ? `${WATCHED}` : ''
    const events = this.#eventsOf(bucket)
    const reply = await this.#calls.run('watch', READ, [events], [from ?? '', `${BATCH}`, keep])
    const entries = from === undefined || reply === '' ? [] : this.#entriesOf(reply.split('\0'))
    this.#places[bucket] = from === undefined ? reply : (entries.at(-1)?.place ?? from)
    return entries
  }

  /** The buckets in which there may be something for a group. */
  async #look(group: string, lease: number): Promise<readonly number[]> {
    await this.#expire()
    const args = [group, `${KEPT}`, `${lease}`]
    const found = await Promise.allSettled(
      this.#keys.buckets.map(({ events }) => this.#calls.run('consume', LOOK, [events], args)),
    )
    this.#workOf(group).lease = lease
    // A node that cannot be reached is asked again at the next look.
    return BUCKETS.filter((bucket) => valueOf(found[bucket]) === '1')
  }

  async #claimIn(bucket: number, group: string, lease: number): Promise<Claim | undefined> {
    const keys = [this.#eventsOf(bucket)] as const
    const reply = await this.#calls.run('consume', TAKE_EVENT, keys, [group, `${lease}`])
    const [tries, ...parts] = reply.split('\0')
    const [entry] = this.#entriesOf(parts)
    if (entry === undefined) return undefined
    const claim = { position: ++this.#claims, event: entry.event, group, tries: Number(tries) }
    this.#taken.set(claim, { bucket, place: entry.place })
    return claim
  }

  /** Sessions that have ended are told as expired while anybody listens. */
  async #expire(): Promise<void> {
    const now = performance.now()
    if (now - this.#expiredAt < EXPIRE_EVERY) return
    this.#expiredAt = now
    await Promise.allSettled(BUCKETS.map((bucket) => this.#registry.expire(bucket)))
  }

  #workOf(group: string): Work {
    const known = this.#work.get(group) ?? new Work()
    this.#work.set(group, known)
    return known
  }

  #eventsOf(bucket: number): string {
    return (this.#keys.buckets[bucket] as Bucket).events
  }

  #entriesOf(parts: readonly string[]): readonly Entry[] {
    const { ahead } = this.#calls.clock
    const entries: Entry[] = []
    for (let n = 0; n + 4 < parts.length; n += 5) {
      const [place = '', type, id, at, user = ''] = parts.slice(n, n + 5)
      const named = user === '' ? undefined : user.slice(1)
      const time = Number(at) - ahead
      entries.push({
        place,
        event: eventOf(type as StoreEvent['type'], id as SessionId, time, named),
      })
    }
    return entries
  }
}

/** Where the consumers of a group have something to do. */
class Work {
  /** ms for which events are taken. */
  lease = 0
  #buckets: number[] = []
  #lookedAt = -Infinity

  get next(): number | undefined {
    return this.#buckets[0]
  }

  /** True if it is time to look; whoever asks is the one who does. */
  isDue(): boolean {
    const now = performance.now()
    if (this.#buckets.length > 0 || now - this.#lookedAt < LISTEN_EVERY * 0.8) return false
    this.#lookedAt = now
    return true
  }

  found(buckets: readonly number[]): void {
    this.#buckets = [...buckets]
  }

  nothingIn(bucket: number): void {
    this.#buckets = this.#buckets.filter((other) => other !== bucket)
  }
}

function valueOf<T>(settled: PromiseSettledResult<T> | undefined): T | undefined {
  return settled?.status === 'fulfilled' ? settled.value : undefined
}

function byPlace(a: Entry, b: Entry): number {
  const [time, count] = a.place.split('-').map(Number)
  const [otherTime, otherCount] = b.place.split('-').map(Number)
  return (time ?? 0) - (otherTime ?? 0) || (count ?? 0) - (otherCount ?? 0)
}
