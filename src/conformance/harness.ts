import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  SessionChange,
  SessionId,
  SessionRecord,
  SessionStore,
  StoreCapabilities,
  Touch,
} from '../store.ts'
import type { Check } from './check.ts'
import { lacking, type StoreNeed } from './needs.ts'
import type { EngineAccess, KitClock, StoreKitOptions } from './options.ts'
import { type RemoteStore, StoreProcess } from './process.ts'

/** A check of a store. Its `run` is given a {@link StoreHarness}. */
export interface StoreCheck extends Check<`S${string}`, StoreNeed, StoreHarness> {}

const HOUR = 3_600_000
const REAL_TIME: KitClock = { now: () => Date.now(), advance: (ms) => sleep(ms) }

/**
 * What the checks work with: two views of one engine, parallel writers, and fresh sessions that
 * disturb nothing else in the engine. Close it in the end.
 */
export class StoreHarness {
  readonly capabilities: StoreCapabilities
  /** A store over the engine. */
  readonly store: SessionStore
  /** A second store over the same engine; the same one if the engine is of one store alone. */
  readonly other: SessionStore
  /** Stores over the same engine for parallel work, spread over the processes. */
  readonly writers: readonly SessionStore[]
  /** How often a parallel check is repeated. */
  readonly rounds: number
  /** How many other processes the writers are in; 0 if all are in this one. */
  readonly processes: number
  readonly engine: EngineAccess
  /** ms after which a check counts as failed. */
  readonly timeout: number
  readonly #options: StoreKitOptions
  readonly #clock: KitClock
  readonly #remotes: readonly RemoteStore[]
  readonly #used = new Set<SessionId>()

  private constructor(
    options: StoreKitOptions,
    stores: readonly SessionStore[],
    remotes: readonly RemoteStore[],
  ) {
    const [store, other] = stores
    if (store === undefined) throw new TypeError('The kit needs a store.')
    this.store = store
    this.other = other ?? store
    this.capabilities = store.capabilities
    this.rounds = options.rounds ?? 100
    this.timeout = options.timeout ?? 60_000
    this.engine = options.engine ?? {}
    this.processes = remotes.length
    this.writers = spread(remotes.length > 0 ? remotes : stores, options.writers ?? 16)
    this.#options = options
    this.#clock = options.clock ?? REAL_TIME
    this.#remotes = remotes
  }

  /** Opens the stores and starts the processes. */
  static async open(options: StoreKitOptions): Promise<StoreHarness> {
    const first = await opened(options)
    if (first.capabilities.shared === 'process') return new StoreHarness(options, [first], [])
    const second = await opened(options)
    return new StoreHarness(options, [first, second], await startAll(options))
  }

  /** What a check needs that this store does not declare or this run was not given. */
  lacks(check: StoreCheck): string | undefined {
    return lacking(check.needs ?? [], this)
  }

  /** True if a worker module was given and the engine can be shared with another process. */
  get canStart(): boolean {
    return this.#options.worker !== undefined && this.capabilities.shared !== 'process'
  }

  /** Starts one more process, by whose clock it is `skew` ms later than here. The caller ends it. */
  start(skew = 0): Promise<RemoteStore> {
    const { worker, execArgv, env } = this.#options
    if (worker === undefined) throw new TypeError('The kit was given no worker.')
    return StoreProcess.start({ worker, execArgv, env, skew })
  }

  /** One more store over the engine, in this process. */
  async reopen(): Promise<SessionStore> {
    return this.#options.store()
  }

  /** The time by the clock of the kit. */
  now(): number {
    return this.#clock.now()
  }

  /** Resolves when that time has passed. */
  async after(time: number): Promise<void> {
    while (this.now() <= time) await this.#clock.advance(time - this.now() + 10)
  }

  /** A new id, forgotten when the harness is closed. */
  id(): SessionId {
    const id = randomBytes(32).toString('base64url') as SessionId
    this.#used.add(id)
    return id
  }

  /** A record that lives for an hour of at most a day, unless said otherwise. */
  record(fields: Partial<SessionRecord> = {}): SessionRecord {
    const now = this.now()
    const times = {
      createdAt: now,
      expiresAt: now + HOUR,
      deadline: now + 24 * HOUR,
      renewedAt: now,
    }
    return { ...times, generation: 0, fence: 0, values: new Map(), ...fields }
  }

  /** A record with these values. */
  holding(
    values: Readonly<Record<string, string>>,
    fields: Partial<SessionRecord> = {},
  ): SessionRecord {
    return this.record({ ...fields, values: new Map(Object.entries(values)) })
  }

  /** A new live session with that record. */
  async session(record: SessionRecord = this.record()): Promise<SessionId> {
    const id = this.id()
    await this.store.create(id, record)
    return id
  }

  /** A change of generation 0 that asks for nothing, unless said otherwise. */
  change(fields: Partial<SessionChange> = {}): SessionChange {
    const at = this.now()
    return {
      generation: 0,
      at,
      set: new Map(),
      unset: [],
      add: new Map(),
      expiresAt: at + HOUR,
      ...fields,
    }
  }

  /** A change that sets these values. */
  setting(
    values: Readonly<Record<string, string>>,
    fields: Partial<SessionChange> = {},
  ): SessionChange {
    return this.change({ ...fields, set: new Map(Object.entries(values)) })
  }

  /** A touch of generation 0 that is due, unless said otherwise. */
  touch(expiresAt: number, fields: Partial<Touch> = {}): Touch {
    return { generation: 0, at: this.now(), expiresAt, whenBefore: expiresAt, ...fields }
  }

  /** Runs one step per writer, all at once. */
  parallel<T>(step: (store: SessionStore, index: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.writers.map(step))
  }

  /** Repeats a race as often as the kit was told to. */
  async race(round: (round: number) => Promise<void>): Promise<void> {
    for (let index = 0; index < this.rounds; index++) await round(index)
  }

  /** Removes what the checks left, closes the stores and ends the processes. */
  async close(): Promise<void> {
    const left = [...this.#used]
    while (left.length > 0)
      await Promise.allSettled(left.splice(0, 64).map((id) => this.store.destroy(id)))
    await Promise.all(this.#remotes.map((remote) => remote.close()))
    if (this.other !== this.store) await this.other.close?.()
    await this.store.close?.()
  }
}

async function opened(options: StoreKitOptions): Promise<SessionStore> {
  const store = await options.store()
  await store.ready?.()
  return store
}

/** If one of the processes does not start, the others are ended again. */
async function startAll(options: StoreKitOptions): Promise<readonly RemoteStore[]> {
  const { worker, execArgv, env, processes = 2 } = options
  if (worker === undefined) return []
  const starting = Array.from({ length: processes }, () =>
    StoreProcess.start({ worker, execArgv, env }),
  )
  try {
    return await Promise.all(starting)
  } catch (error) {
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'fulfilled') await started.value.kill()
    }
    throw error
  }
}

function spread(stores: readonly SessionStore[], count: number): readonly SessionStore[] {
  const views: SessionStore[] = []
  while (views.length < count) views.push(...stores.slice(0, count - views.length))
  return views
}
