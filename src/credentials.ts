import { readCookie } from './cookie.ts'
import { SessionError } from './errors.ts'
import type { SessionEvents } from './events.ts'
import { RecentCookies, copyOf } from './recent-cookies.ts'
import type { Presented } from './recent-cookies.ts'
import type { CookieSigner } from './token.ts'

const MOST_CANDIDATES = 4
const MOST_RECENT = 1000

/** Reads the one genuine cookie of a request. No I/O: a forged cookie never reaches a store. */
export class CredentialReader {
  readonly #signer: CookieSigner
  readonly #cookieName: string
  readonly #events: SessionEvents
  readonly #recent = new RecentCookies(MOST_RECENT)

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
    let best: Presented | undefined
    for (const value of readCookie(header, this.#cookieName, MOST_CANDIDATES)) {
      const found = this.#recent.find(value) ?? this.#verify(value)
      if (found === undefined) continue
      if (best !== undefined && best.token !== found.token) return this.#ambiguous()
      if (best === undefined || found.generation > best.generation) best = found
    }
    return best
  }

  #verify(value: string): Presented | undefined {
    const found = this.#signer.verify(value)
    if (typeof found === 'string') {
      this.#events.tell({ type: 'cookie-refused', reason: found })
      return undefined
    }
    const token = copyOf(found.token)
    const presented = { ...found, token, id: this.#signer.idOf(token) }
    this.#recent.keep(value, presented)
    return presented
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
