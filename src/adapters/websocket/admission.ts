import type { IncomingMessage } from 'node:http'
import { isSessionError } from '../../errors.ts'
import type { RequestInfo, SessionManager } from '../../manager.ts'
import type { Session } from '../../session.ts'
import { connectionInfo, forwardedInfo } from '../support/node-request.ts'
import { originOfHost, refusalOf } from './origin.ts'
import type { Refusal, Rules } from './options.ts'

/** The session that a connection may have, or why it may not connect. */
export type Admission<Data extends object> =
  | { readonly kind: 'admitted'; readonly session: Session<Data> }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Decides who may connect, and opens the session. Only an Origin that may reaches the store. */
export class Admissions<Data extends object> {
  readonly #manager: SessionManager<Data>
  readonly #rules: Rules
  readonly #earlier = new WeakMap<IncomingMessage, Promise<Admission<Data>>>()

  constructor(manager: SessionManager<Data>, rules: Rules) {
    this.#manager = manager
    this.#rules = rules
  }

  /** Rejects only if `onRefuse` throws. */
  async admit(request: IncomingMessage): Promise<Admission<Data>> {
    const admission = await this.#judge(request)
    if (admission.kind === 'refused') this.#rules.onRefuse(admission.refusal)
    return admission
  }

  /**
   * The same for a connection of socket.io that joins several namespaces with one request: later ones
   * get the session of the first, whose cookie may be outdated by then.
   */
  async admitAgain(request: IncomingMessage): Promise<Admission<Data>> {
    const earlier = this.#earlier.get(request)
    if (earlier !== undefined) return this.#confirm(request, await earlier)
    const admission = this.admit(request)
    this.#earlier.set(request, admission)
    return admission
  }

  async #confirm(request: IncomingMessage, admission: Admission<Data>): Promise<Admission<Data>> {
    if (admission.kind === 'refused' || !admission.session.established) return admission
    const { id, generation = 0 } = admission.session
    try {
      const found = await this.#manager.inspect(id)
      const lives = found !== undefined && generation >= found.fence
      return lives ? admission : refused(request, 401, 'the session has ended')
    } catch (error) {
      return { kind: 'refused', refusal: failure(request, error) }
    }
  }

  async #judge(request: IncomingMessage): Promise<Admission<Data>> {
    const info = this.#infoOf(request)
    const foreign = refusalOf(provenanceOf(request, info), this.#rules.origins)
    if (foreign !== undefined) return refused(request, 403, foreign)
    try {
      const session = await this.#manager.open(request.headers.cookie, info)
      const missing = this.#missing(session)
      if (missing !== undefined) return refused(request, 401, missing)
      return { kind: 'admitted', session }
    } catch (error) {
      return { kind: 'refused', refusal: failure(request, error) }
    }
  }

  #infoOf(request: IncomingMessage): RequestInfo {
    const { proxies } = this.#rules
    return proxies > 0 ? forwardedInfo(request, proxies) : connectionInfo(request)
  }

  #missing({ established, user }: Session<Data>): string | undefined {
    const { needs } = this.#rules
    if (needs === 'user' && user === undefined) return 'nobody is logged in'
    return needs === 'session' && !established ? 'there is no session' : undefined
  }
}

function provenanceOf({ headers }: IncomingMessage, { secure, host }: RequestInfo) {
  const site = headers['sec-fetch-site']
  return {
    origin: headers.origin,
    site: typeof site === 'string' ? site : undefined,
    hasCookie: headers.cookie !== undefined,
    own: originOfHost(secure === true, host),
  }
}

function refused(
  request: IncomingMessage,
  status: Refusal['status'],
  reason: string,
): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal: { status, reason, request } }
}

function failure(request: IncomingMessage, error: unknown): Refusal {
  const reason = isSessionError(error) ? error.message : 'the session could not be opened'
  return { status: 503, reason, request, error }
}
