import { SessionError } from '../../errors.ts'

/** What an upgrade says of where it comes from. */
export interface Provenance {
  /** The Origin header: browsers always send it with an upgrade, and no page can change it. */
  readonly origin: string | undefined
  /** The Sec-Fetch-Site header. */
  readonly site: string | undefined
  readonly hasCookie: boolean
  /** The origin that the request came to, as far as is known. */
  readonly own: string | undefined
}

/** Who may connect. */
export interface OriginRules {
  readonly listed: ReadonlySet<string>
  readonly absent: 'refuse' | 'accept'
}

/**
 * Why an upgrade is refused, or undefined. A page of another site, or of a sibling domain, opens a
 * connection with the visitor's cookies whatever their SameSite says: its Origin gives it away.
 */
export function refusalOf(
  { origin, site, hasCookie, own }: Provenance,
  { listed, absent }: OriginRules,
): string | undefined {
  if (origin === undefined) {
    // A browser leaves it out only with a plain request to its own origin: that of long polling.
    const fine = !hasCookie || absent === 'accept' || site === 'same-origin'
    return fine ? undefined : 'a cookie came without an Origin'
  }
  const from = canonicalOrigin(origin)
  if (from !== undefined && (from === own || listed.has(from))) return undefined
  return 'its Origin is neither ours nor listed'
}

/** An origin in the one way to write it; undefined if the text is none. */
export function canonicalOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, href, protocol, host } = new URL(text)
  if (origin !== 'null') return href === `${origin}/` ? origin : undefined
  // Of other schemes, such as those of extensions and apps, URL makes no origin.
  return host !== '' && /^\w[^/]*:\/\/[^/]+\/?$/.test(text) ? `${protocol}//${host}` : undefined
}

/** The origin of a server under a Host header. */
export function originOfHost(secure: boolean, host: string | undefined): string | undefined {
  return host === undefined ? undefined : canonicalOrigin(`${secure ? 'https' : 'http'}://${host}`)
}

/** @throws SessionError `ERR_SESSION_OPTION` for what is no origin */
export function listedOrigins(origins: readonly string[]): ReadonlySet<string> {
  return new Set(
    origins.map((text) => {
      const origin = canonicalOrigin(text)
      if (origin !== undefined) return origin
      throw new SessionError(
        'ERR_SESSION_OPTION',
        `origins must name whole origins, such as 'https://app.example.com', and not '${text.slice(0, 60)}'.`,
      )
    }),
  )
}
