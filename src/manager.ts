import { Administration, detailsOf } from './administration.ts'
import type { SessionDetails, SessionSummaries, SessionSummary, Spared } from './administration.ts'
import { Committer } from './committing.ts'
import { CookieLines } from './cookie-lines.ts'
import type { HeaderLine } from './cookie-lines.ts'
import { CredentialReader } from './credentials.ts'
import { DefaultStore } from './default-store.ts'
import { describePolicy } from './describe.ts'
import { SessionEvents } from './events.ts'
import { GuardedStore } from './guarded-store.ts'
import { Keyring, resolveSecrets } from './keyring.ts'
import { Opener } from './opening.ts'
import type { Opened } from './opening.ts'
import type { SessionOptions } from './options.ts'
import { checkCap, resolvePolicy } from './policy.ts'
import type { Policy } from './policy.ts'
import type { Presented } from './recent-cookies.ts'
import type { RequestInfo } from './request-info.ts'
import type { DefaultData } from './session-data.ts'
import type { Origin, SessionPort, SessionState } from './session-state.ts'
import { checkId } from './session-checks.ts'
import { Session, stateOf } from './session.ts'
import type { SessionId, StopListening, StoreCapabilities, StoreEvent } from './store.ts'
import { CookieSigner, TokenSource } from './token.ts'
import { Values } from './values.ts'

export type { RequestInfo } from './request-info.ts'

const SWEEP_LIMIT = 1000

/**
 * Sessions of one application: opens them from cookies and commits what requests did to them.
 *
 * @example
 * const sessions = new SessionManager({ secret: process.env.SESSION_SECRET, store: new RedisStore(client) })
 * const session = await sessions.open(request.headers.cookie)
 * session.increment('views')
 * for (const [name, value] of await sessions.commit(session)) response.appendHeader(name, value)
 */
export class SessionManager<Data extends object = DefaultData> {
  /** The cookie's name on the wire, with its prefix. */
  readonly cookieName: string
  readonly #policy: Policy
  readonly #store: GuardedStore
  readonly #events: SessionEvents
  readonly #tokens = new TokenSource()
  readonly #signer: CookieSigner
  readonly #credentials: CredentialReader
  readonly #opener: Opener
  readonly #committer: Committer
  readonly #administration: Administration
  readonly #port: SessionPort
  readonly #now: () => number

  /** @throws SessionError `ERR_SESSION_OPTION` or `ERR_SESSION_SECRET`, with what to do */
  constructor(options: SessionOptions = {}) {
    const production = process.env['NODE_ENV'] === 'production'
    const policy = resolvePolicy(options, production)
    this.#policy = policy
    this.#now = options.now ?? Date.now
    this.#events = new SessionEvents(options.observe, this.#now)
    const store = options.store ?? new DefaultStore()
    checkCap(policy, store)
    const lines = new CookieLines(policy.cookie, this.#events)
    this.cookieName = lines.name
    const keyring = new Keyring(resolveSecrets(options.secret, production))
    this.#signer = new CookieSigner(keyring, lines.name, policy.namespace)
    this.#credentials = new CredentialReader(this.#signer, lines.name, this.#events)
    this.#store = new GuardedStore(store, this.#events, policy.storeDeadline)
    this.#opener = new Opener(this.#store, policy, this.#events)
    this.#committer = new Committer({
      store: this.#store,
      policy,
      events: this.#events,
      signer: this.#signer,
      lines,
      now: this.#now,
    })
    this.#administration = new Administration(this.#store, this.#events)
    this.#port = this.#newPort()
  }

  /**
   * The session that a request belongs to; a new, empty one if there is none. Without a genuine
   * cookie no store is asked.
   *
   * @param cookieHeader - the Cookie header as it came, several of them joined by `; `; undefined or
   * null for none
   * @param request - what else is known; the client is kept when a session is established
   * @throws SessionError with status 503 if the store fails, unless `onStoreFailure` is `anonymous`
   */
  async open(
    cookieHeader: string | null | undefined,
    request: RequestInfo = {},
  ): Promise<Session<Data>> {
    return this.openNow(cookieHeader, request)
  }

  /**
   * The same, without a promise if nothing has to be waited for: there is no genuine cookie, or the store
   * is in this process. What `open` would reject with may be thrown.
   */
  openNow(
    cookieHeader: string | null | undefined,
    request: RequestInfo = {},
  ): Session<Data> | Promise<Session<Data>> {
    const presented = this.#credentials.read(cookieHeader)
    if (presented === undefined) return this.#session(request, undefined, { kind: 'none' })
    const now = this.#now()
    const opened = this.#opener.openNow(presented, now)
    if (opened !== undefined) return this.#presented(request, presented, opened)
    const loading = this.#opener.open(presented, now)
    return loading.then((loaded) => this.#presented(request, presented, loaded))
  }

  /**
   * Stores what the request did, with at most one store call, and answers the headers to append to
   * the response. Call it before the headers leave; it may be called again later for what came after.
   *
   * @throws SessionError if the changes cannot be stored: the response must not claim that they were
   */
  commit(session: Session<Data>): Promise<readonly HeaderLine[]> {
    return this.#committer.commit(stateOf(session))
  }

  /** The same, without a promise if no store call is needed. What `commit` would reject with may be thrown. */
  commitNow(session: Session<Data>): readonly HeaderLine[] | Promise<readonly HeaderLine[]> {
    return this.#committer.commitNow(stateOf(session))
  }

  /**
   * Tells a session that the headers have left. Values of an established session can still be changed,
   * and a later `commit` stores them; beginning a session or changing its credential throws.
   */
  seal(session: Session<Data>): void {
    stateOf(session).sealed = true
  }

  /**
   * Changes a session outside a request, by its public id.
   *
   * @param change - gets the session; what it did is stored when it has ended
   * @returns what `change` returned; undefined if nothing was stored, because there is no such session
   * (any more) or somebody logged in or out with it meanwhile
   */
  async edit<T>(
    id: SessionId,
    change: (session: Session<Data>) => T | Promise<T>,
  ): Promise<T | undefined> {
    checkId(id, 'edit')
    const record = await this.#store.load(id)
    if (record === undefined) return undefined
    const session = this.#session({}, { id, record }, { kind: 'none' })
    this.seal(session)
    const result = await change(session)
    await this.commit(session)
    return stateOf(session).lost ? undefined : result
  }

  /**
   * The live sessions of a user, for a list of devices. Needs a store with a user index.
   *
   * @throws SessionError `ERR_SESSION_UNSUPPORTED` if the store has none
   */
  sessionsOf(user: string): Promise<readonly SessionSummary[]> {
    return this.#administration.sessionsOf(user)
  }

  /**
   * A page of live sessions, in no particular order; pass its `cursor` for the next one.
   *
   * @throws SessionError `ERR_SESSION_UNSUPPORTED` if the store cannot list
   */
  list(cursor?: string): Promise<SessionSummaries> {
    return this.#administration.list(cursor)
  }

  /**
   * A live session by its public id, without its values.
   *
   * @param touch - a generation: its idle deadline moves, as by a request with such a cookie
   */
  async inspect(id: SessionId, touch?: number): Promise<SessionDetails | undefined> {
    checkId(id, 'inspect')
    const record = await this.#opener.look(id, this.#now(), touch)
    return record === undefined ? undefined : detailsOf(id, record)
  }

  /** Ends a session by its public id. False if there was none. */
  revoke(id: SessionId): Promise<boolean> {
    return this.#administration.revoke(id)
  }

  /**
   * Ends every session that a user has when this is called, and tells how many
   * (ASVS 5.0 7.4.2 and 7.4.3). Needs a store with a user index.
   *
   * @param options - `except` spares one session, usually the current one: `{ except: session.id }`
   */
  revokeUser(user: string, { except }: Spared = {}): Promise<number> {
    return this.#administration.revokeUser(user, except)
  }

  /** What the store promises. */
  get capabilities(): StoreCapabilities {
    return this.#store.capabilities
  }

  /**
   * Tells of what happens to sessions in every process that shares the store, within a second: for
   * closing live connections. See also `observe`, which tells of this manager alone, and of more.
   *
   * @throws SessionError `ERR_SESSION_UNSUPPORTED` if the store has no events
   */
  watch(listener: (event: StoreEvent) => void): Promise<StopListening> {
    return this.#store.watch(listener)
  }

  /**
   * Hands every event to one consumer of the group, in whichever process, at least once.
   *
   * @throws SessionError `ERR_SESSION_UNSUPPORTED` if the store keeps no log of events
   */
  consume(
    group: string,
    handler: (event: StoreEvent) => void | Promise<void>,
  ): Promise<StopListening> {
    return this.#store.consume(group, handler)
  }

  /** Removes at most `limit` expired records from a store that does not do so by itself. */
  sweep(limit: number = SWEEP_LIMIT): Promise<number> {
    return this.#store.deleteExpired(limit)
  }

  /** The policy in force, as a table for people. */
  describe(): string {
    return describePolicy(this.#policy, this.cookieName, this.#store.capabilities)
  }

  /** Resolves when the store can be used; throws what the first request would meet. */
  ready(): Promise<void> {
    return this.#store.ready()
  }

  /** Closes the store. Call it when no request is left. */
  close(): Promise<void> {
    return this.#store.close()
  }

  #presented(request: RequestInfo, { id, token }: Presented, opened: Opened): Session<Data> {
    const origin = opened.kind === 'live' ? { id, token, record: opened.record } : undefined
    return this.#session(request, origin, opened)
  }

  #session(request: RequestInfo, origin: Origin | undefined, opened: Opened): Session<Data> {
    const live = opened.kind === 'live' ? opened : undefined
    const state: SessionState = {
      port: this.#port,
      values: new Values(origin?.record.values, this.#policy.limits, (name) =>
        this.#corrupt(state, name),
      ),
      client: request,
      transport: request,
      origin,
      fresh: undefined,
      intent: { kind: live?.renew === true ? 'renew' : 'keep' },
      rememberFor: undefined,
      reissue: live?.reissue === true,
      wasRead: false,
      sealed: false,
      lost: false,
      committing: false,
      outage: opened.kind === 'outage' ? opened.error : undefined,
    }
    return new Session<Data>(state)
  }

  #corrupt({ origin }: SessionState, name: string): void {
    if (origin !== undefined) this.#events.tell({ type: 'corrupt', id: origin.id, name })
  }

  #newPort(): SessionPort {
    return {
      store: this.#store,
      identify: () => {
        const token = this.#tokens.next()
        return { token, id: this.#signer.idOf(token) }
      },
      dropped: (id, outcome, names) =>
        this.#events.tell({ type: 'write-dropped', id, outcome, names }),
    }
  }
}
