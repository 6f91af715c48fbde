import { readCookie } from './cookie.ts'
import { SessionError } from './errors.ts'
import type { SessionEvents } from './events.ts'
import type { SessionId } from './store.ts'
import type { CookieSigner, Credential } from './token.ts'

/** A genuine cookie of a request, with the id that its token hashes to. */
export interface Presented extends Credential {
  readonly id: SessionId
}

const MOST_CANDIDATES = 4

/** Reads the one genuine cookie of a request. No I/O: a forged cookie never reaches a store. */
export class CredentialReader {
  readonly #signer: CookieSigner
  readonly #cookieName: string
  readonly #events: SessionEvents

  constructor(signer: CookieSigner, cookieName: string, events: SessionEvents) {
    this.#signer = signer
    this.#cookieName = cookieName
    this.#events = events
  }

  /**
   * Undefined if there is no genuine cookie, or if there are two of different sessions.
   *
   * @param header - null, as a `Headers` object has it, is none either
   * @throws SessionError `ERR_SESSION_MISUSE` for what is no text
   */
  read(header: string | null | undefined): Presented | undefined {
    if (header === undefined || header === null || header === '') return undefined
    if (typeof header !== 'string') throw notAHeader()
    let best: Credential | undefined
    for (const value of readCookie(header, this.#cookieName, MOST_CANDIDATES)) {
      const found = this.#verify(value)
      if (found === undefined) continue
      if (best !== undefined && best.token !== found.token) return this.#ambiguous()
      if (best === undefined || found.generation > best.generation) best = found
    }
    return best === undefined ? undefined : this.#presented(best)
  }

  #presented({ token, generation, outdatedKey }: Credential): Presented {
    return { token, generation, outdatedKey, id: this.#signer.idOf(token) }
  }

  #verify(value: string): Credential | undefined {
    const found = this.#signer.verify(value)
    if (typeof found !== 'string') return found
    this.#events.tell({ type: 'cookie-refused', reason: found })
    return undefined
  }

  #ambiguous(): undefined {
    this.#events.tell({ type: 'ambiguous-cookie' })
    return undefined
  }
}

function notAHeader(): SessionError {
  return new SessionError(
    'ERR_SESSION_MISUSE',
    'open takes the Cookie header as text, such as request.headers.cookie. Join several with "; ".',
  )
}
