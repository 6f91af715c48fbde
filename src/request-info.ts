import type { ClientInfo } from './store.ts'

/** Who the client is, as far as the adapter knows. */
export type ClientSeen = { readonly [Part in keyof ClientInfo]: ClientInfo[Part] | undefined }

/** How a request came, as far as the adapter knows. */
export interface Transport {
  /** Whether it came over https. */
  readonly secure?: boolean | undefined
  /** The Host header. */
  readonly host?: string | undefined
}

/** What an adapter knows of a request. It is looked at only when a session begins or a cookie is sent. */
export interface RequestInfo extends ClientSeen, Transport {}
