import type { SessionError } from './errors.ts'
import type { ClientSeen, Transport } from './request-info.ts'
import type { SessionId, SessionRecord, SessionStore, SessionToken } from './store.ts'
import type { Values } from './values.ts'

/** What a request wants of its session, beyond values. The last call wins. */
export type Intent =
  | { readonly kind: 'keep' }
  | { readonly kind: 'renew' }
  | { readonly kind: 'login'; readonly user: string }
  | { readonly kind: 'logout' }
  | { readonly kind: 'destroy' }

/** The record that a session was opened from. Without `token` it was opened by id, outside a request. */
export interface Origin {
  readonly id: SessionId
  readonly token?: SessionToken
  readonly record: SessionRecord
}

/** A name and a secret for a session that is not stored yet. */
export interface FreshIdentity {
  readonly id: SessionId
  readonly token: SessionToken
}

/** What a session needs from the manager that opened it. */
export interface SessionPort {
  readonly store: SessionStore
  identify(): FreshIdentity
  dropped(id: SessionId, outcome: 'gone' | 'stale', names: readonly string[]): void
}

/** Everything the manager and a `Session` share about one request. Not part of the public API. */
export interface SessionState {
  readonly port: SessionPort
  readonly values: Values
  /** As the request says; what is kept of it is what `clientOf` makes of it. */
  readonly client: ClientSeen
  /** Whether the request came over https, as far as the adapter knows, and for which host. */
  readonly transport: Transport
  origin: Origin | undefined
  fresh: FreshIdentity | undefined
  intent: Intent
  rememberFor: number | undefined
  /** The cookie has to be sent again although nothing changed. */
  reissue: boolean
  /** The request looked at the session: the response depends on the cookie. */
  wasRead: boolean
  /** The headers have left: the cookie can no longer be sent. */
  sealed: boolean
  /** What was set last was dropped: the session had ended, or was fenced, while the request ran. */
  lost: boolean
  /** A commit is under way. */
  committing: boolean
  /** The store failed when the session was opened; it is anonymous for now, and nothing can be saved. */
  readonly outage: SessionError | undefined
}
