import { expect } from 'vitest'
import { isSessionError, SessionError } from '../../src/errors.ts'
import type { SessionEvent } from '../../src/events.ts'
import { SessionManager } from '../../src/manager.ts'
import type { SessionOptions } from '../../src/options.ts'
import type { Session } from '../../src/session.ts'
import type { SessionId, SessionRecord, SessionStore } from '../../src/store.ts'
import { CountingStore } from '../support/counting-store.ts'
import { newId } from '../support/records.ts'
import { HOUR, MINUTE, SECRET } from '../support/stage.ts'

/** What a request may do before it ends. */
export type Deed =
  | { readonly kind: 'read' | 'renew' | 'logout' | 'destroy' }
  | { readonly kind: 'set' | 'delete'; readonly name: string; readonly value: number }
  | { readonly kind: 'login'; readonly user: string }

/** What must be true of a session, as far as requests were answered. */
interface Known {
  readonly values: Map<string, number>
  user: string | undefined
  ended: boolean
  /** The generation that the last login or logout began: older cookies are barred. */
  fence: number
  expiresAt: number
}

/** A request that was opened and has not ended. */
interface Pending {
  readonly client: number
  readonly node: number
  readonly session: Session
}

const WRITES: ReadonlySet<string> = new Set(['set', 'delete', 'renew', 'login'])
const LIFETIME = 3 * HOUR
const GRACE = MINUTE

/** A store that is out when it is told to be. */
class OutStore extends CountingStore {
  out = false

  override load(...call: Parameters<SessionStore['load']>): Promise<SessionRecord | undefined> {
    if (this.out) return Promise.reject(new SessionError('ERR_SESSION_STORE', 'It is out.'))
    return super.load(...call)
  }

  override create(...call: Parameters<SessionStore['create']>): Promise<boolean> {
    if (this.out) return Promise.reject(new SessionError('ERR_SESSION_STORE', 'It is out.'))
    return super.create(...call)
  }
}

/**
 * Two clients, two processes that share an engine, and what must be true whatever is done in whatever
 * order. After each step every session that ever was is looked up in the engine.
 */
export class World {
  readonly events: SessionEvent[] = []
  readonly #store: SessionStore
  readonly #counted: OutStore
  readonly #nodes: readonly SessionManager[]
  readonly #now: () => number
  readonly #jars: (string | undefined)[] = [undefined, undefined]
  readonly #cookies: string[] = []
  readonly #known = new Map<SessionId, Known>()
  readonly #pending: Pending[] = []
  /** Which session a token of a cookie belongs to. */
  readonly #ids = new Map<string, SessionId>()

  constructor(store: SessionStore, now: () => number) {
    this.#store = store
    this.#counted = new OutStore(store)
    this.#now = now
    const options: SessionOptions = {
      ...{ secret: SECRET, store: this.#counted, now },
      ...{ idleTimeout: '1h', lifetime: '3h' },
      observe: (event: SessionEvent) => void this.events.push(event),
    }
    this.#nodes = [
      new SessionManager(options),
      new SessionManager({ ...options, onStoreFailure: 'anonymous' }),
    ]
  }

  /** A request comes, and is opened. */
  async begin(client: number, node: number): Promise<void> {
    const cookie = this.#jars[client]
    const before = cookie === undefined ? undefined : await this.#named(cookie)
    this.#counted.since()
    const session = await this.#node(node).open(cookie)
    expect(this.#counted.since().filter((verb) => verb !== 'load')).toEqual([])
    expect(session.established).toBe(before !== undefined && this.#accepts(before))
    this.#pending.push({ client, node, session })
  }

  /** One of the requests that are under way does something and ends. */
  async finish(which: number, deed: Deed, delivered: boolean): Promise<void> {
    const [request] = this.#pending.splice(which % Math.max(1, this.#pending.length), 1)
    if (request === undefined) return
    const { session, client, node } = request
    const from = session.established ? session.id : undefined
    const was = session.user
    const over = from === undefined ? false : this.#isOver(from, session.generation)
    // What is as it was loaded is not written, whatever others have made of it since.
    const same = 'name' in deed && from !== undefined && isSame(session.get(deed.name), deed)
    perform(session, deed)
    const told = this.events.length
    this.#counted.since()
    const headers = await this.#node(node).commit(session)
    const events = this.events.slice(told)
    const effective = same ? 'read' : deed.kind
    if (from !== undefined && WRITES.has(effective)) expect(isDropped(events)).toBe(over)
    const cookie = this.#answered(headers, events, deed)
    if (cookie !== undefined && session.established)
      this.#ids.set(cookie.split('.')[2] ?? '', session.id)
    if (deed.kind === 'read') expect(this.#counted.calls).toEqual([])
    this.#learn(events, same ? { kind: 'read' } : deed, session, from, was)
    if (delivered && cookie !== undefined) this.#jars[client] = cookie || undefined
  }

  /** A whole request, with others perhaps under way, whose answer arrives. */
  async visit(client: number, node: number, deed: Deed): Promise<void> {
    await this.begin(client, node)
    await this.finish(this.#pending.length - 1, deed, true)
  }

  /** A process dies with a request: nobody is answered. */
  abandon(which: number): void {
    this.#pending.splice(which % Math.max(1, this.#pending.length), 1)
  }

  /** A client comes with a cookie that it had, or that another client has. */
  present(client: number, which: number): void {
    this.#jars[client] = this.#cookies[which % Math.max(1, this.#cookies.length)]
  }

  async revoke(which: number): Promise<void> {
    const [id, known] = [...this.#known][which % Math.max(1, this.#known.size)] ?? []
    if (id === undefined || known === undefined) return
    await this.#node(0).revoke(id)
    known.ended = true
  }

  async revokeUser(user: string): Promise<void> {
    if (!this.#store.capabilities.userIndex) return
    for (const id of (await this.#store.sessionsOf?.(user)) ?? []) await this.#node(0).revoke(id)
    for (const known of this.#known.values()) if (known.user === user) known.ended = true
  }

  /** The store is out while a request comes: nobody is taken for logged in, or for logged out. */
  async outage(client: number): Promise<void> {
    const cookie = this.#jars[client]
    this.#counted.out = true
    const failing = await this.#node(0)
      .open(cookie)
      .catch((error: unknown) => error)
    const anonymous = await this.#node(1).open(cookie)
    expect(anonymous.established).toBe(false)
    expect(anonymous.user).toBeUndefined()
    anonymous.set('a', 1)
    const told = await this.#node(1)
      .commit(anonymous)
      .catch((error: unknown) => error)
    this.#counted.out = false
    expect(isSessionError(told) && told.status).toBe(503)
    if (cookie !== undefined) expect(isSessionError(failing) && failing.status).toBe(503)
    // It works again: a call that succeeds ends the count of failures.
    for (const node of this.#nodes) await node.inspect(newId())
  }

  /** Everything that must be true at every moment. */
  async check(): Promise<void> {
    for (const [id, known] of this.#known) await this.#checkSession(id, known)
    const told = JSON.stringify(this.events)
    for (const cookie of this.#cookies) expect(told).not.toContain(cookie.split('.')[2])
  }

  async #checkSession(id: SessionId, known: Known): Promise<void> {
    const record = await this.#store.load(id)
    if (record === undefined && known.expiresAt <= this.#now()) known.ended = true
    expect(record !== undefined).toBe(!known.ended)
    if (record === undefined) return
    const { expiresAt, deadline, user, values } = record
    known.expiresAt = expiresAt
    expect(expiresAt).toBeGreaterThan(this.#now() - 1)
    expect(expiresAt).toBeLessThanOrEqual(deadline)
    expect(deadline).toBeLessThanOrEqual(this.#now() + LIFETIME + 1000)
    expect(user).toBe(known.user)
    const wanted = [...known.values].map(([name, value]) => [name, String(value)] as const)
    expect(new Map(values)).toEqual(new Map(wanted))
    if (user !== undefined && this.#store.capabilities.userIndex)
      expect(await this.#store.sessionsOf?.(user)).toContain(id)
  }

  /** The cookie to keep: `''` to delete it; undefined if the answer has none. */
  #answered(
    headers: readonly (readonly [string, string])[],
    events: readonly SessionEvent[],
    deed: Deed,
  ): string | undefined {
    const cookies = headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)
    expect(cookies.length).toBeLessThanOrEqual(1)
    const [line] = cookies
    if (line === undefined) return undefined
    expect(headers).toContainEqual(['Cache-Control', 'no-store'])
    if (isDropped(events)) expect(deed.kind).toBe('login')
    if (line.includes('Max-Age=0')) return ''
    const cookie = line.split(';', 1)[0] ?? ''
    this.#cookies.push(cookie)
    return cookie
  }

  #learn(
    events: readonly SessionEvent[],
    deed: Deed,
    session: Session,
    from: SessionId | undefined,
    was: string | undefined,
  ): void {
    for (const event of events) {
      if (event.type === 'created') this.#remember(event.id)
      const ended = event.type === 'destroyed' ? this.#known.get(event.id) : undefined
      if (ended !== undefined) ended.ended = true
    }
    const dropped = isDropped(events)
    const known = session.established ? this.#known.get(session.id) : undefined
    if (known === undefined || known.ended || (dropped && deed.kind !== 'login')) return
    if (deed.kind === 'set') known.values.set(deed.name, deed.value)
    if (deed.kind === 'delete') known.values.delete(deed.name)
    if (deed.kind === 'logout' || deed.kind === 'login') known.fence = session.generation ?? 0
    if (deed.kind === 'logout') known.values.clear()
    if (deed.kind === 'logout') known.user = undefined
    if (deed.kind !== 'login') return
    if (was !== undefined && was !== deed.user && session.id === from) known.values.clear()
    known.user = deed.user
  }

  /** True if what a request writes that was opened under a generation must be dropped. */
  #isOver(id: SessionId, generation = 0): boolean {
    const known = this.#known.get(id)
    return known === undefined || known.ended || generation < known.fence
  }

  #remember(id: SessionId): void {
    const expiresAt = Number.POSITIVE_INFINITY
    this.#known.set(id, { values: new Map(), user: undefined, ended: false, fence: 0, expiresAt })
  }

  /** The record that a cookie names, and the generation that it has. */
  async #named(cookie: string): Promise<{ record: SessionRecord; generation: number } | undefined> {
    const generation = Number(cookie.split('.')[3])
    const id = this.#ids.get(cookie.split('.')[2] ?? '')
    const known = id === undefined ? undefined : this.#known.get(id)
    const record = id === undefined ? undefined : await this.#store.load(id)
    if (record === undefined || known === undefined) return undefined
    expect(known.ended).toBe(false)
    // Never, whatever the record says: a cookie from before a login.
    if (generation < known.fence) expect(this.#accepts({ record, generation })).toBe(false)
    return { record, generation }
  }

  #accepts({ record, generation }: { record: SessionRecord; generation: number }): boolean {
    if (generation === record.generation) return true
    const within = this.#now() - record.renewedAt < GRACE
    return generation + 1 === record.generation && generation >= record.fence && within
  }

  #node(index: number): SessionManager {
    const node = this.#nodes[index % this.#nodes.length]
    if (node === undefined) throw new TypeError('There is no such process.')
    return node
  }
}

function isDropped(events: readonly SessionEvent[]): boolean {
  return events.some(({ type }) => type === 'write-dropped')
}

function isSame(loaded: unknown, deed: Deed & { readonly value: number }): boolean {
  return loaded === (deed.kind === 'set' ? deed.value : undefined)
}

function perform(session: Session, deed: Deed): void {
  if (deed.kind === 'set') session.set(deed.name, deed.value)
  else if (deed.kind === 'delete') session.delete(deed.name)
  else if (deed.kind === 'login') session.login(deed.user)
  else if (deed.kind === 'renew') session.renew()
  else if (deed.kind === 'logout') session.logout()
  else if (deed.kind === 'destroy') session.destroy()
  else session.get('a')
}
