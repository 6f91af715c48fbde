import { setTimeout as sleep } from 'node:timers/promises'
import type {
  CommitOutcome,
  SessionChange,
  SessionId,
  SessionRecord,
  StopListening,
  StoreCapabilities,
  StoreEvent,
} from '../../../src/store.ts'
import { IndexedStore } from './engine.ts'

type Listener = (event: StoreEvent) => void
type Handler = (event: StoreEvent) => void | Promise<void>

/** A correct store that keeps a limit of sessions of a user and tells what happens. */
export class TellingStore extends IndexedStore {
  override readonly capabilities: StoreCapabilities = {
    ...new IndexedStore().capabilities,
    ...{ userCap: true, events: 'log' },
  }
  protected readonly listeners = new Set<Listener>()
  protected readonly groups = new Map<string, StoreEvent[]>()
  #turn: Promise<unknown> = Promise.resolve()

  override async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    const made = await super.create(id, record)
    if (made) this.say('created', id, record.user)
    return made
  }

  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const outcome = this.#turn.then(() => this.commitAlone(id, change))
    this.#turn = outcome.catch(() => undefined)
    return outcome
  }

  override async destroy(id: SessionId): Promise<boolean> {
    const user = this.live(id)?.user
    const ended = await super.destroy(id)
    if (ended) this.say('destroyed', id, user)
    return ended
  }

  override async deleteExpired(limit: number): Promise<number> {
    const expired = [...this.records].filter(([id]) => this.live(id) === undefined)
    for (const [id, { user }] of expired.slice(0, limit)) this.say('expired', id, user)
    return super.deleteExpired(limit)
  }

  async watch(listener: Listener): Promise<StopListening> {
    const own: Listener = (event) => listener(event)
    this.listeners.add(own)
    return async () => void this.listeners.delete(own)
  }

  async consume(group: string, handler: Handler): Promise<StopListening> {
    const queue = this.queueOf(group)
    const stopping = new AbortController()
    const done = this.work(queue, handler, stopping.signal)
    return () => {
      stopping.abort()
      return done
    }
  }

  async tell(event: StoreEvent): Promise<void> {
    for (const queue of this.groups.values()) queue.push(event)
    for (const listener of this.listeners) this.call(listener, event)
  }

  /** A commit beside which there is no other. */
  protected async commitAlone(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    const record = this.live(id)
    if (record === undefined || change.generation < record.fence) return super.commit(id, change)
    const surplus = this.surplus(id, change)
    if (surplus.length > 0 && change.cap?.full === 'reject') return 'full'
    const { generation } = record
    const outcome = await super.commit(id, change)
    if (typeof outcome === 'string') return outcome
    for (const other of surplus) this.evict(other)
    this.sayOf(id, change, outcome.generation > generation)
    return surplus.length === 0 ? outcome : { ...outcome, evicted: surplus }
  }

  /** The sessions that have to go, those that end first before others. */
  protected surplus(id: SessionId, { user, cap }: SessionChange): SessionId[] {
    if (cap === undefined || typeof user !== 'string') return []
    const others = this.othersOf(user, id)
    const endOf = (other: SessionId): number => this.records.get(other)?.expiresAt ?? 0
    const ordered = others.toSorted((a, b) => endOf(a) - endOf(b))
    return ordered.slice(0, Math.max(0, others.length - cap.most + 1))
  }

  protected othersOf(user: string, id: SessionId): SessionId[] {
    const others = [...this.records.keys()].filter((other) => other !== id)
    return others.filter((other) => this.live(other)?.user === user)
  }

  protected evict(id: SessionId): void {
    const user = this.records.get(id)?.user
    this.records.delete(id)
    this.say('evicted', id, user)
  }

  protected sayOf(id: SessionId, { user, rotate }: SessionChange, grown: boolean): void {
    if (user !== undefined || rotate === 'fence') this.say('elevated', id, user ?? undefined)
    else if (grown) this.say('renewed', id, this.live(id)?.user)
  }

  protected say(type: StoreEvent['type'], id: SessionId, user: string | undefined): void {
    void this.tell({ type, id, at: Date.now(), ...(user !== undefined && { user }) })
  }

  protected call(listener: Listener, event: StoreEvent): void {
    try {
      listener(event)
    } catch {
      // It is of no concern to the store.
    }
  }

  protected queueOf(group: string): StoreEvent[] {
    const queue = this.groups.get(group) ?? []
    this.groups.set(group, queue)
    return queue
  }

  protected async work(queue: StoreEvent[], handler: Handler, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const event = queue.shift()
      if (event === undefined) await sleep(2)
      else await this.hand(queue, event, handler)
    }
  }

  protected async hand(queue: StoreEvent[], event: StoreEvent, handler: Handler): Promise<void> {
    try {
      await handler(event)
    } catch {
      setTimeout(() => queue.push(event), 10)
    }
  }
}

/** Every sweeper tells of what it finds, before it removes it. */
export class EverySweeperTells extends TellingStore {
  override async deleteExpired(limit: number): Promise<number> {
    const expired = [...this.records].filter(([id]) => this.live(id) === undefined)
    await sleep(5)
    for (const [id, { user }] of expired) {
      this.records.delete(id)
      this.say('expired', id, user)
    }
    return Math.min(limit, expired.length)
  }
}

/** A list of ends that destroy does not look into. */
export class ExpiresTheDestroyed extends TellingStore {
  readonly #ends = new Map<SessionId, number>()

  override create(id: SessionId, record: SessionRecord): Promise<boolean> {
    this.#ends.set(id, record.expiresAt)
    return super.create(id, record)
  }

  override async deleteExpired(limit: number): Promise<number> {
    for (const [id, end] of this.#ends) {
      if (end > Date.now() || this.live(id) !== undefined) continue
      this.#ends.delete(id)
      if (!this.records.has(id)) this.say('expired', id, undefined)
    }
    return super.deleteExpired(limit)
  }
}

export class TellsEveryCommit extends TellingStore {
  protected override sayOf(id: SessionId, change: SessionChange, grown: boolean): void {
    if (grown || change.set.size === 0) super.sayOf(id, change, grown)
    else this.say('renewed', id, undefined)
  }
}

export class SilentLogout extends TellingStore {
  protected override sayOf(id: SessionId, change: SessionChange, grown: boolean): void {
    if (change.user !== null) super.sayOf(id, change, grown)
  }
}

export class TellsEvictionAsDestroy extends TellingStore {
  protected override evict(id: SessionId): void {
    this.records.delete(id)
    this.say('destroyed', id, undefined)
  }
}

export class TellsNobody extends TellingStore {
  override async tell(event: StoreEvent): Promise<void> {
    if (event.type !== 'replayed') await super.tell(event)
  }
}

export class ListensForEver extends TellingStore {
  override async watch(listener: Listener): Promise<StopListening> {
    await super.watch(listener)
    return () => Promise.resolve()
  }
}

/** A consumer is but another watcher. */
export class EveryConsumerGetsAll extends TellingStore {
  override async consume(group: string, handler: Handler): Promise<StopListening> {
    return super.consume(`${group} ${this.groups.size}`, handler)
  }
}

export class TriesOnce extends TellingStore {
  protected override async hand(_: unknown, event: StoreEvent, handler: Handler): Promise<void> {
    await super.hand([], event, handler)
  }
}

/** A group is forgotten with its last consumer. */
export class ForgetfulGroup extends TellingStore {
  override async consume(group: string, handler: Handler): Promise<StopListening> {
    const stop = await super.consume(group, handler)
    return () => {
      this.groups.delete(group)
      return stop()
    }
  }
}

/** The events of other processes never arrive. */
export class LonelyTeller extends TellingStore {
  override readonly capabilities: StoreCapabilities = {
    ...new TellingStore().capabilities,
    shared: 'machine',
  }
}

/** As a log whose positions are given before they are visible, read only beyond the newest one seen. */
export class SkipsWhatComesLate extends TellingStore {
  #underWay = 0

  override async create(id: SessionId, record: SessionRecord): Promise<boolean> {
    this.#underWay++
    try {
      await sleep(1)
      return await super.create(id, record)
    } finally {
      this.#underWay--
    }
  }

  protected override call(listener: Listener, event: StoreEvent): void {
    if (event.type !== 'created' || this.#underWay < 2) super.call(listener, event)
  }
}
