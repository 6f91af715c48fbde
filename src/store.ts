/**
 * The contract between sojourn and an engine that keeps sessions.
 *
 * Stores obey, the core decides. Absence is a value (`undefined`, `false`, `'gone'`); only failure
 * throws, as a `SessionError`. A store never mistakes an outage for absence.
 *
 * Times are milliseconds since the epoch. Where the engine has a clock of its own, that clock says
 * whether a record has expired.
 *
 * @module
 */

declare const tokenBrand: unique symbol
declare const idBrand: unique symbol

/** The secret of a session, 32 random bytes in base64url. It is in the cookie and nowhere else. */
export type SessionToken = string & { readonly [tokenBrand]: true }

/**
 * The public name of a session, 43 characters of base64url: what stores, logs and the admin page
 * see. It is a hash of the token; the token cannot be found from it.
 */
export type SessionId = string & { readonly [idBrand]: true }

/** Who the client was when the session was established. Said by the client: never proof of anything. */
export interface ClientInfo {
  /** The User-Agent header, at most 256 characters. */
  readonly userAgent?: string
  /** The address of the peer, as the adapter saw it. */
  readonly address?: string
}

/** One session, as a store keeps it. */
export interface SessionRecord {
  readonly createdAt: number
  /** The idle deadline, never beyond `deadline`. */
  readonly expiresAt: number
  /** The absolute end, fixed at `create`; only a change with a `deadline` of its own moves it. */
  readonly deadline: number
  /** Counts rotations of the credential: the cookie names the generation it was made for. */
  readonly generation: number
  /** When `generation` last grew. */
  readonly renewedAt: number
  /** The oldest generation that is still acceptable. */
  readonly fence: number
  /** Who is logged in. */
  readonly user?: string
  /** When the user last proved who they are. */
  readonly authenticatedAt?: number
  /** The idle time of this session alone, in ms: set by `remember`, it also makes the cookie persistent. */
  readonly rememberFor?: number
  readonly client?: ClientInfo
  /** Name to encoded text. Names and texts are well-formed Unicode without U+0000. */
  readonly values: ReadonlyMap<string, string>
}

/**
 * What one request did, relative to what it loaded. A store applies all of it or nothing, to the
 * record as it is at that moment, in the order: `clear`, `unset`, `set`, `add`.
 */
export interface SessionChange {
  /** The generation under which the request was opened; older than the fence is answered `stale`. */
  readonly generation: number
  /** When the change was made, by the clock of the process. */
  readonly at: number
  /**
   * What some values still must be, `undefined` for absence, before anything of the change is applied.
   * If one of them is another by now, nothing is changed and the store throws
   * `ERR_SESSION_CONFLICT`. By capability `expect`.
   */
  readonly expect?: ReadonlyMap<string, string | undefined>
  /** Every value is dropped first, also those that other requests set meanwhile. */
  readonly clear?: boolean
  readonly set: ReadonlyMap<string, string>
  readonly unset: readonly string[]
  /**
   * Safe integers to add to the numbers stored under these names; a missing one counts as 0.
   * If one of them is not a safe integer in plain decimal text, or the sum is not, nothing is
   * changed and the store throws `ERR_SESSION_NOT_A_NUMBER`.
   */
  readonly add: ReadonlyMap<string, number>
  /**
   * The idle deadline that the request asks for. Without `deadline` it can only extend:
   * `min(max(stored, expiresAt), stored deadline)`. With `deadline` it replaces:
   * `min(expiresAt, deadline)`.
   */
  readonly expiresAt: number
  /** Replaces the absolute end: a login or a logout that begins the session's time anew. */
  readonly deadline?: number
  /**
   * `renew`: the generation grows by one if it is still `generation`; otherwise another request has
   * renewed already and its generation is answered. `fence`: the generation grows by one and older
   * ones are refused from now on. Both set `renewedAt` to `at` when the generation grew.
   */
  readonly rotate?: 'renew' | 'fence'
  /** A string logs that user in (`authenticatedAt` becomes `at`), `null` removes the user. */
  readonly user?: string | null
  /** How many sessions `user` may have, this one included. By capability `userCap`. */
  readonly cap?: UserCap
  /** Replaces `rememberFor`; `null` removes it. */
  readonly rememberFor?: number | null
}

/**
 * A limit of sessions of one user, kept in one atomic step however many log in at once: either the
 * live sessions of the user that end first are destroyed to make room, or the change is refused.
 */
export interface UserCap {
  readonly most: number
  readonly full: 'evict-oldest' | 'reject'
}

/** A change that was applied. */
export interface Committed {
  readonly generation: number
  readonly expiresAt: number
  readonly deadline: number
  /** The new number of every name in `add`. */
  readonly added: ReadonlyMap<string, number>
  /** The sessions that were destroyed to obey `cap`. */
  readonly evicted?: readonly SessionId[]
}

/**
 * `gone`: there is no live record under this id; nothing was written.
 * `stale`: the generation is older than the fence; nothing was written.
 * `full`: the user has as many sessions as `cap` allows; nothing was written.
 */
export type CommitOutcome = Committed | 'gone' | 'stale' | 'full'

/**
 * Something that happened to a session, as a store tells it to other processes. `renewed`: the
 * generation grew by a renewal. `elevated`: somebody logged in or out of a session that goes on; `user`
 * says who it is now. A session that ends is told as one of `destroyed`, `expired` and `evicted`, once.
 */
export interface StoreEvent {
  readonly type:
    | 'created'
    | 'renewed'
    | 'elevated'
    | 'destroyed'
    | 'expired'
    | 'evicted'
    | 'replayed'
  readonly id: SessionId
  readonly at: number
  readonly user?: string
}

/** Ends a `watch` or a `consume`; resolves when no call of the listener is left. */
export type StopListening = () => Promise<void>

/**
 * Moves the idle deadline while loading: only if the record's generation is `generation` and its
 * idle deadline is before `whenBefore`, to `min(expiresAt, deadline)`; never back. It writes no values.
 */
export interface Touch {
  readonly generation: number
  readonly at: number
  readonly expiresAt: number
  readonly whenBefore: number
}

/** What a store promises beyond the verbs. The conformance kit asserts exactly what is declared. */
export interface StoreCapabilities {
  /** The name of the engine, for messages and tables: `redis`, `memory`, … */
  readonly engine: string
  /** Who sees the same sessions: this process, the processes of this machine, or every machine. */
  readonly shared: 'process' | 'machine' | 'network'
  /** What an acknowledged write survives: nothing, a crash of this process, or as its engine is set up. */
  readonly durable: 'no' | 'process' | 'engine'
  /** Who removes expired records: the engine by itself, or `deleteExpired`. Both hide them at once. */
  readonly expiry: 'engine' | 'sweep'
  /** Whether a commit is one atomic step of the engine or a compare-and-set that is tried again. */
  readonly commit: 'atomic' | 'compare-and-set'
  /** Whose clock says that a record has expired. */
  readonly clock: 'engine' | 'process'
  /** True if every call ends by a deadline of the store's own; else the manager sets one. */
  readonly deadline: boolean
  /** True if `sessionsOf` works. */
  readonly userIndex: boolean
  /** True if `list` works. */
  readonly list: boolean
  /** True if `commit` obeys `cap`. */
  readonly userCap?: boolean
  /**
   * What others learn of a session: nothing; every watcher is told at once; or there is also a log
   * from which each consumer group gets every event at least once.
   */
  readonly events?: 'none' | 'broadcast' | 'log'
  /** True if `commit` obeys `expect`. Stores that wrap another one may need it. */
  readonly expect?: boolean
}

/**
 * An engine that keeps sessions.
 *
 * | verb | absent, expired or destroyed | round trips |
 * |---|---|---|
 * | `load` | `undefined` | 1 |
 * | `create` | creates, `true` | 1 |
 * | `commit` | `'gone'`, nothing written | 1 |
 * | `destroy` | `false` | 1 |
 * | `swap` | `'gone'`, nothing written | 1 |
 * | `take` | `undefined`, nothing written | 1 |
 *
 * Only `create` makes a record. Every verb is atomic towards every other, across all processes that
 * share the engine. After `destroy` has resolved no verb finds the session again.
 */
export interface SessionStore {
  readonly capabilities: StoreCapabilities

  /** The live record under `id`. An expired one is `undefined`, whether or not the engine removed it. */
  load(id: SessionId, touch?: Touch): Promise<SessionRecord | undefined>

  /**
   * What `load` would answer, if it is known without waiting for anything: the record, or `'none'`.
   * Undefined if `load` has to be asked, as when a touch is due that has to be written. Never throws.
   */
  loadNow?(id: SessionId, touch?: Touch): SessionRecord | 'none' | undefined

  /** Keeps a new record. False, and nothing changed, if a live record has this id. */
  create(id: SessionId, record: SessionRecord): Promise<boolean>

  /** Applies a change to the live record, all or nothing. */
  commit(id: SessionId, change: SessionChange): Promise<CommitOutcome>

  /** Removes the record and its values. False if there was none. */
  destroy(id: SessionId): Promise<boolean>

  /**
   * Replaces one value if it still is `before`. `undefined` stands for absence on both sides.
   *
   * @param generation - the generation under which the caller was opened: `'stale'` if fenced off
   * since. Without it the fence is not looked at.
   * @returns false, and nothing changed, if the value is another by now
   */
  swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'>

  /**
   * Reads and removes one value in one atomic step: of any number of callers exactly one gets it.
   *
   * @param generation - as for `swap`; a caller that was fenced off gets `undefined`
   */
  take(id: SessionId, name: string, generation?: number): Promise<string | undefined>

  /** Ids of the live sessions of a user. By capability `userIndex`. */
  sessionsOf?(user: string): Promise<readonly SessionId[]>

  /** A page of ids of live sessions, in no particular order. By capability `list`. */
  list?(cursor?: string): Promise<SessionPage>

  /** Removes at most `limit` expired records and tells how many. By capability `expiry: 'sweep'`. */
  deleteExpired?(limit: number): Promise<number>

  /**
   * Tells the listener of what happens to sessions from now on, in every process that shares the
   * engine, within a second. Best effort: for closing live connections. By capability `events`.
   */
  watch?(listener: (event: StoreEvent) => void): Promise<StopListening>

  /**
   * Hands every event to one consumer of the group, and again to another if the handler throws or its
   * process dies. By capability `events: 'log'`.
   */
  consume?(
    group: string,
    handler: (event: StoreEvent) => void | Promise<void>,
  ): Promise<StopListening>

  /** Adds an event that the core noticed, such as `replayed`. By capability `events`. */
  tell?(event: StoreEvent): Promise<void>

  /** Resolves when the engine can be used; throws the error that a first call would meet. */
  ready?(): Promise<void>

  /** Ends what the store began itself: timers, files, connections. A client of yours stays open. */
  close?(): Promise<void>
}

/** A page of `list`; without `cursor` it is the last one. */
export interface SessionPage {
  readonly ids: readonly SessionId[]
  readonly cursor?: string
}
