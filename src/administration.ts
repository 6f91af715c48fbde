import type { SessionEvents } from './events.ts'
import { checkId, checkUser } from './session-checks.ts'
import type { SessionId, SessionRecord, SessionStore } from './store.ts'

/** What the server knows of a session, without its values: for a list of devices, or an admin page. */
export type SessionSummary = { readonly id: SessionId } & Omit<
  SessionRecord,
  'values' | 'generation' | 'renewedAt' | 'fence'
>

/** The same, with what says whose cookies are still good. */
export type SessionDetails = SessionSummary & Pick<SessionRecord, 'generation' | 'fence'>

/** What `revokeUser` leaves alone. */
export interface Spared {
  /** One session, usually the current one. */
  readonly except?: SessionId | undefined
}

/** A page of live sessions; without `cursor` it is the last one. */
export interface SessionSummaries {
  readonly sessions: readonly SessionSummary[]
  readonly cursor?: string
}

/** Looks at sessions and ends them, by user and by public id. */
export class Administration {
  readonly #store: SessionStore & Required<Pick<SessionStore, 'sessionsOf' | 'list'>>
  readonly #events: SessionEvents

  constructor(
    store: SessionStore & Required<Pick<SessionStore, 'sessionsOf' | 'list'>>,
    events: SessionEvents,
  ) {
    this.#store = store
    this.#events = events
  }

  async sessionsOf(user: string): Promise<readonly SessionSummary[]> {
    checkUser(user, 'sessionsOf')
    const found = await this.#summaries(await this.#store.sessionsOf(user))
    return found.filter((session) => session.user === user)
  }

  async list(cursor?: string): Promise<SessionSummaries> {
    const page = await this.#store.list(cursor)
    const sessions = await this.#summaries(page.ids)
    return page.cursor === undefined ? { sessions } : { sessions, cursor: page.cursor }
  }

  async revoke(id: SessionId): Promise<boolean> {
    checkId(id, 'revoke')
    const ended = await this.#store.destroy(id)
    if (ended) this.#events.tell({ type: 'destroyed', id, by: 'revoke' })
    return ended
  }

  async revokeUser(user: string, except: SessionId | undefined): Promise<number> {
    checkUser(user, 'revokeUser')
    const ids = await this.#store.sessionsOf(user)
    const ended = await Promise.all(ids.map(async (id) => id !== except && this.revoke(id)))
    return ended.filter(Boolean).length
  }

  async #summaries(ids: readonly SessionId[]): Promise<readonly SessionSummary[]> {
    const records = await Promise.all(ids.map((id) => this.#store.load(id)))
    return records.flatMap((record, index) => {
      const id = ids[index]
      return record === undefined || id === undefined ? [] : [summaryOf(id, record)]
    })
  }
}

/** What is known of a session, with its generations. */
export function detailsOf(id: SessionId, record: SessionRecord): SessionDetails {
  const { generation, fence } = record
  return { ...summaryOf(id, record), generation, fence }
}

function summaryOf(id: SessionId, record: SessionRecord): SessionSummary {
  const {
    values: _values,
    generation: _generation,
    renewedAt: _at,
    fence: _fence,
    ...known
  } = record
  return { id, ...known }
}
