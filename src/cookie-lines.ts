import { checkCookieAttributes, deletionCookie, serializeCookie, wireName } from './cookie.ts'
import type { CookieAttributes } from './cookie.ts'
import type { SessionEvents } from './events.ts'
import type { CookiePolicy } from './policy.ts'
import { LONGEST_COOKIE_VALUE } from './token.ts'
import type { SessionState } from './session-state.ts'

/** One header to append to the response. */
export type HeaderLine = readonly [name: string, value: string]

const NO_STORE: HeaderLine = ['Cache-Control', 'no-store']
const VARY: readonly HeaderLine[] = [['Vary', 'Cookie']]

/** Writes the headers of a session: the cookie, and what keeps it out of shared caches. */
export class CookieLines {
  /** The name on the wire, with its prefix. */
  readonly name: string
  readonly #attributes: CookieAttributes
  readonly #events: SessionEvents

  /** @throws SessionError `ERR_SESSION_OPTION` if browsers would refuse such a cookie */
  constructor(policy: CookiePolicy, events: SessionEvents) {
    const { domain, path, secure, sameSite, partitioned } = policy
    this.#attributes = {
      path,
      secure,
      sameSite,
      partitioned,
      ...(domain !== undefined && { domain }),
    }
    this.name = wireName(policy.name, this.#attributes)
    this.#events = events
    checkCookieAttributes({ name: this.name, ...this.#attributes }, LONGEST_COOKIE_VALUE)
  }

  /** @param lifetime - ms that a persistent cookie lives; undefined ends it with the browser */
  issue(
    value: string,
    lifetime: number | undefined,
    transport: SessionState['transport'],
  ): HeaderLine[] {
    this.#warnIfDropped(transport)
    const maxAge = lifetime === undefined ? {} : { maxAge: Math.max(1, Math.ceil(lifetime / 1000)) }
    return [
      ['Set-Cookie', serializeCookie({ name: this.name, value, ...this.#attributes, ...maxAge })],
      NO_STORE,
    ]
  }

  delete(): HeaderLine[] {
    return [['Set-Cookie', deletionCookie({ name: this.name, ...this.#attributes })], NO_STORE]
  }

  /** For a response that depends on the cookie. */
  vary(): readonly HeaderLine[] {
    return VARY
  }

  // The cookie is sent all the same: a proxy may have ended https without our knowing.
  #warnIfDropped({ secure, host }: SessionState['transport']): void {
    if (!this.#attributes.secure || secure !== false || host === undefined || isLoopback(host))
      return
    this.#events.tell({
      type: 'insecure-transport',
      message:
        `The session cookie is Secure, and this request came over plain http for '${host}': browsers drop it. ` +
        'Serve over https; behind a proxy let the framework trust it; for development use localhost or insecureDevelopment.',
    })
  }
}

// Browsers treat these as trustworthy without https (W3C Secure Contexts, 3.1).
function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    /^127(\.\d+){3}$/.test(name)
  )
}
