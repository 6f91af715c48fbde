import { takeOnce, updateOnce } from './atomic.ts'
import { parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import { SessionError } from './errors.ts'
import { Notifications, isNotification } from './notifications.ts'
import { checkUser, headersSent, noCredential, notASession, refuseMark } from './session-checks.ts'
import type { DefaultData, KeepOptions, Name, NumberName, Value } from './session-data.ts'
import type { SessionState } from './session-state.ts'
import type { ClientInfo, SessionId, SessionRecord } from './store.ts'
import type { Values } from './values.ts'

let stateOf: <Data extends object>(session: Session<Data>) => SessionState

/**
 * The session of one request: a map of named values, read and written synchronously. Nothing is
 * stored until `SessionManager.commit`, which the adapter calls before the response leaves.
 *
 * Values: null, booleans, finite numbers, text, bigint, Date, Uint8Array, arrays, plain objects, Map
 * and Set. A value that is changed in place is saved too.
 */
export class Session<in out Data extends object = DefaultData> {
  readonly #state: SessionState
  #notifications: Notifications | undefined

  static {
    stateOf = (session) => {
      if (#state in session) return session.#state
      throw notASession()
    }
  }

  /** @internal */
  constructor(state: SessionState) {
    this.#state = state
  }

  /** Messages to a later request, each delivered exactly once. */
  get notifications(): Notifications {
    this.#notifications ??= new Notifications({
      has: (name) => this.#look().has(name),
      names: () => this.#look().names(),
      set: (name, value) => this.#writable().set(name, value),
      takeOnce: (name) => takeOnce(this.#use(), name),
    })
    return this.#notifications
  }

  /** The public id: safe in logs, proves nothing. A session that is not stored yet has one to come. */
  get id(): SessionId {
    const state = this.#state
    return state.origin?.id ?? (state.fresh ??= state.port.identify()).id
  }

  /** True if the session was in the store when the request began and has not been ended since. */
  get established(): boolean {
    return this.#record !== undefined
  }

  /** Who is logged in. */
  get user(): string | undefined {
    this.#state.wasRead = true
    const { intent } = this.#state
    if (intent.kind === 'login') return intent.user
    return intent.kind === 'logout' ? undefined : this.#record?.user
  }

  /** When the session began, in ms since the epoch. */
  get createdAt(): number | undefined {
    return this.#record?.createdAt
  }

  /** When the session ends unless there is another request, in ms since the epoch. */
  get expiresAt(): number | undefined {
    return this.#record?.expiresAt
  }

  /** When the session ends whatever happens, in ms since the epoch. */
  get deadline(): number | undefined {
    return this.#record?.deadline
  }

  /** When the user last logged in with this session, in ms since the epoch. */
  get authenticatedAt(): number | undefined {
    return this.#record?.authenticatedAt
  }

  /** How often the credential was rotated. */
  get generation(): number | undefined {
    return this.#record?.generation
  }

  /** Who the client was when the session was established. */
  get client(): ClientInfo | undefined {
    return this.#record?.client
  }

  /** How long this visitor asked to be remembered, in ms. */
  get rememberFor(): number | undefined {
    return this.#state.rememberFor ?? this.#record?.rememberFor
  }

  get<K extends Name<Data>>(name: K): Value<Data, K> | undefined
  get<K extends Name<Data>, F>(name: K, fallback: F): Value<Data, K> | F
  get<K extends Name<Data>>(name: K, fallback?: unknown): unknown {
    const value = isNotification(name) ? undefined : this.#look().get(name)
    return value === undefined ? fallback : value
  }

  /**
   * @throws SessionError `ERR_SESSION_VALUE` or `ERR_SESSION_TOO_LARGE`, with the place in the value
   * and the reason; the session is unchanged then
   */
  set<K extends Name<Data>>(name: K, value: Value<Data, K>): this {
    refuseMark(name)
    this.#writable().set(name, value)
    return this
  }

  has(name: Name<Data>): boolean {
    return !isNotification(name) && this.#look().has(name)
  }

  /** Removes values. True if any of them was there. */
  delete(...names: Name<Data>[]): boolean {
    const values = this.#use().values
    const removed = names.map((name) => !isNotification(name) && values.delete(name))
    return removed.includes(true)
  }

  /** Reads and removes a value. For a message to one later request see `notifications`. */
  take<K extends Name<Data>>(name: K): Value<Data, K> | undefined {
    const value = this.get(name)
    this.delete(name)
    return value
  }

  /** Removes every value; also those that parallel requests add before this one is committed. */
  clear(): void {
    this.#use().values.clear()
  }

  *keys(): IterableIterator<Name<Data>> {
    for (const name of this.#look().names()) if (!isNotification(name)) yield name as Name<Data>
  }

  *values(): IterableIterator<Value<Data, Name<Data>>> {
    for (const [, value] of this) yield value
  }

  *entries(): IterableIterator<[Name<Data>, Value<Data, Name<Data>>]> {
    for (const name of this.keys()) {
      const value = this.get(name)
      if (value !== undefined) yield [name, value]
    }
  }

  [Symbol.iterator](): IterableIterator<[Name<Data>, Value<Data, Name<Data>>]> {
    return this.entries()
  }

  get size(): number {
    return [...this.keys()].length
  }

  /**
   * Adds a whole number; a missing value counts as 0. The sum is made by the store: parallel requests
   * add up. What is answered here is the number as this request knows it.
   */
  increment(name: NumberName<Data>, by = 1): number {
    refuseMark(name)
    return this.#writable().increment(name, by)
  }

  /**
   * Replaces one value by what `change` makes of it, at once in the store, by compare-and-set: if
   * another request was quicker, `change` is called again with the newer value. Answering `undefined`
   * removes the value. Other values do not conflict.
   *
   * @throws SessionError `ERR_SESSION_CONFLICT` after many lost attempts
   */
  async update<K extends Name<Data>>(
    name: K,
    change: (
      value: Value<Data, K> | undefined,
    ) => Value<Data, K> | undefined | Promise<Value<Data, K> | undefined>,
  ): Promise<Value<Data, K> | undefined> {
    refuseMark(name)
    const result = await updateOnce(this.#writableState(), name, (value) =>
      change(value as Value<Data, K> | undefined),
    )
    return result as Value<Data, K> | undefined
  }

  /**
   * Logs a user in: the credential is rotated, the older one is refused at once, and the session's
   * time begins anew. Values stay, unless another user was logged in before or `keep` names those
   * that may.
   *
   * @param user - your id of the user, 1 to 1024 bytes
   */
  login(user: string, { keep }: KeepOptions<Data> = {}): void {
    checkUser(user)
    const previous = this.user
    this.#rotating('login')
    if (keep !== undefined) this.#keepOnly(keep)
    else if (previous !== undefined && previous !== user) this.clear()
    this.#state.intent = { kind: 'login', user }
  }

  /**
   * Logs the user out: the session and its values are destroyed. What is set afterwards, or named in
   * `keep`, stays in a session without a user whose older credentials are refused.
   */
  logout({ keep = [] }: KeepOptions<Data> = {}): void {
    if (keep.length > 0) this.#rotating('logout')
    else this.#use()
    this.#keepOnly(keep)
    this.#state.rememberFor = undefined
    this.#state.intent = { kind: this.#state.sealed ? 'destroy' : 'logout' }
  }

  /** Rotates the credential. The older one stays good for the grace period; no data moves. */
  renew(): void {
    this.#rotating('renew')
    if (this.#state.intent.kind === 'keep') this.#state.intent = { kind: 'renew' }
  }

  /** Ends the session. It cannot be used again in this request; for a fresh start see `logout`. */
  destroy(): void {
    this.#use().values.clear()
    this.#state.intent = { kind: 'destroy' }
  }

  /** Keeps this session, and its cookie, for that long from now, also when the browser is closed. */
  remember(duration: Duration): void {
    const rememberFor = parseDuration(duration, 'remember')
    this.#rotating('remember')
    this.#state.rememberFor = rememberFor
  }

  /** Names only: a session that is written to a log shows no values. */
  toJSON(): object {
    const { established, user } = this
    return { id: this.#state.origin?.id, established, user, names: [...this.keys()] }
  }

  get #record(): SessionRecord | undefined {
    const { origin, intent } = this.#state
    return intent.kind === 'destroy' ? undefined : origin?.record
  }

  #look(): Values {
    this.#state.wasRead = true
    return this.#state.values
  }

  #use(): SessionState {
    this.#state.wasRead = true
    if (this.#state.intent.kind !== 'destroy') return this.#state
    throw new SessionError(
      'ERR_SESSION_DESTROYED',
      'The session was destroyed in this request. Use logout() if the response is to start a new one.',
    )
  }

  #writableState(): SessionState {
    const state = this.#use()
    const tooLate = state.sealed && state.origin === undefined && !state.committing
    if (tooLate) throw headersSent('begun')
    return state
  }

  #writable(): Values {
    return this.#writableState().values
  }

  #rotating(verb: string): void {
    const { sealed, origin } = this.#use()
    if (origin !== undefined && origin.token === undefined) throw noCredential(verb)
    if (sealed) throw headersSent(`changed by ${verb}()`)
  }

  #keepOnly(names: readonly Name<Data>[]): void {
    const kept = names.map((name) => [name, this.get(name)] as const)
    this.clear()
    for (const [name, value] of kept) if (value !== undefined) this.set(name, value)
  }
}

export { stateOf }
