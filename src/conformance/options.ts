import type { SessionId, SessionStore } from '../store.ts'

/** What the kit is told about a store. Only `store` is needed; the rest lets it look closer. */
export interface StoreKitOptions {
  /**
   * Opens a store over the engine, as another process would: each call a new store over the same
   * sessions. Called once if the store declares `shared: 'process'`.
   */
  readonly store: () => SessionStore | Promise<SessionStore>
  /**
   * A module that exports such a function under the name `store`. Set this to have the parallel checks use real
   * processes; without it they use many promises in one process, and the report says so.
   */
  readonly worker?: URL
  /** Node options for those processes, such as `['--import', 'tsx']`. @default those of this process */
  readonly execArgv?: readonly string[]
  /** Environment variables for those processes, in addition to those of this one. */
  readonly env?: Readonly<Record<string, string>>
  /** How many processes write in the parallel checks. @default 2 */
  readonly processes?: number
  /** How many parallel writers there are, over all processes. @default 16 */
  readonly writers?: number
  /** How often each parallel check is repeated. Set this lower for a quick look. @default 100 */
  readonly rounds?: number
  /** The clock of a store whose time can be moved. @default the real time: the kit waits */
  readonly clock?: KitClock
  /** A look behind the store: each function that is given lets more checks run. */
  readonly engine?: EngineAccess
  /** ms after which a check counts as failed. @default 60000 */
  readonly timeout?: number
}

/** Time that can be moved. */
export interface KitClock {
  /** ms since the epoch. */
  now(): number
  /** Moves the time of the store by that many ms. */
  advance(ms: number): void | Promise<void>
}

/** What only the owner of an engine can do: look at its contents, break it, heal it. */
export interface EngineAccess {
  /** Everything that can be read from the engine but the log of events, keys and contents, as one text. */
  dump?(): Promise<string>
  /** Names of keys or rows that neither expire nor would be found by `deleteExpired`. */
  immortal?(): Promise<readonly string[]>
  /** A store over the same engine under another prefix, table or database. */
  elsewhere?(): SessionStore | Promise<SessionStore>
  /** Overwrites the record of a session with bytes that mean nothing. */
  corrupt?(id: SessionId): Promise<void>
  /** Makes the record of a session look as a later version of the store would write it. */
  fromTheFuture?(id: SessionId): Promise<void>
  /** Makes the engine unreachable or mute, until `start`. */
  stop?(): Promise<void>
  /** Ends what `stop` began. */
  start?(): Promise<void>
  /** The next call of the first store is applied by the engine, but its connection ends before the answer. */
  cutNextReply?(): Promise<void>
}
