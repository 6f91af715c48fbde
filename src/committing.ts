import type { CookieLines, HeaderLine } from './cookie-lines.ts'
import { decide, decideAfterLoss } from './decide.ts'
import type { Decision } from './decide.ts'
import { SessionError } from './errors.ts'
import type { SessionEvents } from './events.ts'
import type { Policy } from './policy.ts'
import { changeOf, firstRecord, isChanged, recordAfter } from './request-change.ts'
import type { FreshIdentity, Intent, Origin, SessionState } from './session-state.ts'
import type { Committed, SessionChange, SessionStore, UserCap } from './store.ts'
import type { CookieSigner } from './token.ts'
import type { ValueChanges } from './values.ts'

interface Parts {
  readonly store: SessionStore
  readonly policy: Policy
  readonly events: SessionEvents
  readonly signer: CookieSigner
  readonly lines: CookieLines
  readonly now: () => number
}

type Lines = readonly HeaderLine[]

const MOST_IDENTITIES = 3
const NO_LINES: Lines = []

/** Ends a request: at most one store call, then the headers to append. */
export class Committer {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws SessionError if the store fails: nothing may be answered as done then */
  async commit(state: SessionState): Promise<Lines> {
    return this.commitNow(state)
  }

  /** The same, without a promise if no store call is needed. */
  commitNow(state: SessionState): Lines | Promise<Lines> {
    const { changes, decision } = this.#plan(state)
    if (decision.call === 'nothing') return this.#unchanged(state, decision)
    return this.#store(state, changes, decision)
  }

  async #store(state: SessionState, changes: ValueChanges, decision: Decision): Promise<Lines> {
    if (state.outage !== undefined) throw state.outage
    // What is sealed while the store works still gets the headers of this commit.
    const { sealed } = state
    state.committing = true
    try {
      const cookie = await this.#write(state, changes, decision)
      return sealed ? [] : [...cookie, ...this.#vary(state)]
    } finally {
      state.committing = false
    }
  }

  #plan(state: SessionState): { readonly changes: ValueChanges; readonly decision: Decision } {
    const changes = state.values.changes()
    const decision = decide({
      record: state.origin === undefined ? 'none' : 'live',
      intent: state.intent.kind,
      changed: isChanged(state, changes),
      reissue: state.reissue || state.rememberFor !== undefined,
    })
    return { changes, decision }
  }

  // While the store is out, a logout that finds no session has not logged anybody out.
  #unchanged(state: SessionState, { cookie }: Decision): Lines {
    const ends = state.intent.kind === 'logout' || state.intent.kind === 'destroy'
    if (state.outage !== undefined && ends) throw state.outage
    if (state.sealed) return NO_LINES
    const vary = this.#vary(state)
    return cookie === 'issue' ? [...this.#issue(state), ...vary] : vary
  }

  #write(
    state: SessionState,
    changes: ValueChanges,
    { call, cookie }: Decision,
  ): Promise<HeaderLine[]> {
    const { origin } = state
    if (origin === undefined || call === 'create') return this.#create(state, changes)
    if (call === 'destroy') return this.#destroy(state, origin)
    return this.#change(state, origin, changes, cookie)
  }

  #create(state: SessionState, changes: ValueChanges): Promise<HeaderLine[]> {
    const { intent } = state
    if (intent.kind !== 'login' || this.#parts.policy.cap === undefined) {
      return this.#begin(state, changes)
    }
    return this.#beginAndLogIn(state, changes, intent)
  }

  // Only a commit keeps the limit of sessions of a user.
  async #beginAndLogIn(
    state: SessionState,
    changes: ValueChanges,
    login: Intent,
  ): Promise<HeaderLine[]> {
    state.intent = { kind: 'keep' }
    await this.#begin(state, changes)
    const { origin } = state
    if (origin === undefined) return []
    state.intent = login
    try {
      return await this.#change(state, origin, state.values.changes(), 'issue')
    } catch (error) {
      await this.#parts.store.destroy(origin.id)
      throw error
    }
  }

  async #begin(state: SessionState, changes: ValueChanges): Promise<HeaderLine[]> {
    const { intent } = state
    const record = firstRecord(state, changes, this.#parts.now(), this.#parts.policy)
    const { id, token } = await this.#keep(state, record)
    const { user } = record
    this.#parts.events.tell({ type: 'created', id, ...(user !== undefined && { user }) })
    if (user !== undefined) this.#parts.events.tell({ type: 'elevated', id, user })
    state.origin = { id, token, record }
    settle(state, intent, changes, numbersIn(changes))
    return this.#issue(state)
  }

  async #keep(state: SessionState, record: Origin['record']): Promise<FreshIdentity> {
    for (let attempt = 0; attempt < MOST_IDENTITIES; attempt++) {
      const identity = (state.fresh ??= state.port.identify())
      state.fresh = undefined
      if (await this.#parts.store.create(identity.id, record)) return identity
    }
    throw new SessionError(
      'ERR_SESSION_STORE',
      `The store says that ${MOST_IDENTITIES} random ids in a row are taken. Check the store, and the random generator.`,
    )
  }

  async #destroy(state: SessionState, { id, token, record }: Origin): Promise<HeaderLine[]> {
    const { intent } = state
    await this.#parts.store.destroy(id)
    const user = record.user === undefined ? {} : { user: record.user }
    if (intent.kind === 'logout') this.#parts.events.tell({ type: 'logged-out', id, ...user })
    const by = token === undefined ? 'edit' : 'request'
    this.#parts.events.tell({ type: 'destroyed', id, by })
    state.origin = undefined
    if (state.intent === intent && intent.kind === 'logout') state.intent = { kind: 'keep' }
    return this.#parts.lines.delete()
  }

  async #change(
    state: SessionState,
    origin: Origin,
    changes: ValueChanges,
    cookie: Decision['cookie'],
  ): Promise<HeaderLine[]> {
    const { intent } = state
    const change = changeOf(state, origin, changes, this.#parts.now(), this.#parts.policy)
    const outcome = await this.#parts.store.commit(origin.id, change)
    if (outcome === 'full') throw tooMany(change.cap)
    if (typeof outcome === 'string') return this.#lost(state, intent, origin, changes, outcome)
    for (const id of outcome.evicted ?? []) this.#parts.events.tell({ type: 'evicted', id })
    this.#tellOf(intent, origin, change, outcome)
    state.origin = { ...origin, record: recordAfter(origin.record, change, outcome) }
    settle(state, intent, changes, outcome.added)
    return cookie === 'issue' ? this.#issue(state) : []
  }

  // The session ended, or was fenced, while the request ran.
  async #lost(
    state: SessionState,
    intent: Intent,
    { id }: Origin,
    changes: ValueChanges,
    outcome: 'gone' | 'stale',
  ): Promise<HeaderLine[]> {
    state.port.dropped(id, outcome, [
      ...changes.set.keys(),
      ...changes.unset,
      ...changes.add.keys(),
    ])
    state.origin = undefined
    state.lost = true
    if (decideAfterLoss(intent.kind) === 'begin-anew') return this.#create(state, changes)
    settle(state, intent, changes, new Map())
    return []
  }

  #tellOf(intent: Intent, { id, record }: Origin, change: SessionChange, after: Committed): void {
    const { events } = this.#parts
    const renewed = change.rotate === 'renew' && after.generation > record.generation
    if (intent.kind === 'login') events.tell({ type: 'elevated', id, user: intent.user })
    if (renewed) events.tell({ type: 'renewed', id, generation: after.generation })
    if (intent.kind !== 'logout') return
    events.tell({ type: 'logged-out', id, ...(record.user !== undefined && { user: record.user }) })
  }

  #issue(state: SessionState): HeaderLine[] {
    const { signer, policy, lines, now } = this.#parts
    if (state.origin?.token === undefined) return []
    const { token, record } = state.origin
    state.reissue = false
    const persistent = policy.cookie.persistent || record.rememberFor !== undefined
    const lifetime = persistent ? record.expiresAt - now() : undefined
    return lines.issue(signer.sign(token, record.generation), lifetime, state.transport)
  }

  #vary(state: SessionState): Lines {
    if (!state.wasRead) return NO_LINES
    state.wasRead = false
    return this.#parts.lines.vary()
  }
}

// What the handler asked for while the store worked is left for the next commit.
function settle(
  state: SessionState,
  intent: Intent,
  changes: ValueChanges,
  added: ReadonlyMap<string, number>,
): void {
  state.values.settle(changes, added)
  if (state.intent === intent) state.intent = { kind: 'keep' }
  state.rememberFor = undefined
}

function tooMany(cap: UserCap | undefined): SessionError {
  return new SessionError(
    'ERR_SESSION_LIMIT',
    `The user has ${cap?.most} sessions already, as many as maxPerUser allows. Log out elsewhere first.`,
  )
}

function numbersIn({ add }: ValueChanges): ReadonlyMap<string, number> {
  return new Map(add)
}
