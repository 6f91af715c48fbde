/**
 * One cookie: read exactly, written by the rules of browsers.
 *
 * "6265bis" is draft-ietf-httpbis-rfc6265bis-22, "layered" draft-ietf-httpbis-layered-cookies, which
 * adds the prefixes `__Http-` and `__Host-Http-`. Browsers that do not know these still enforce
 * `__Host-` for the latter.
 *
 * @module
 */
import { SessionError } from './errors.ts'

/** What a cookie is sent with besides its name and value. It is always HttpOnly. */
export interface CookieAttributes {
  readonly path: string
  /** Absent: only the host that set the cookie gets it back. */
  readonly domain?: string | undefined
  readonly secure: boolean
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly partitioned: boolean
}

/** A cookie as it is set. */
export interface Cookie extends CookieAttributes {
  /** The name on the wire, with its prefix. */
  readonly name: string
  readonly value: string
  /** Seconds to live; absent: until the browser is closed. */
  readonly maxAge?: number
  /**
   * The same as a time, in ms since the epoch, for clients that do not know Max-Age.
   * @default `maxAge` from now
   */
  readonly expires?: number
}

// 6265bis 4.1.3 and layered 4.1.3.3, 4.1.3.4. Browsers compare prefixes without regard to case
// (6265bis 5.4), so a name in other letters is bound by the same rules.
const PREFIXES = ['__host-http-', '__host-', '__http-', '__secure-'] as const

// 6265bis 5.6: name and value together, and one attribute value, in bytes; more is ignored.
const MOST_PAIR_BYTES = 4096
const MOST_ATTRIBUTE_BYTES = 1024

// 6265bis 5.5: browsers cut longer lives to 400 days.
const MOST_SECONDS = 400 * 86_400

const EQUALS = 0x3d
const MOST_HEADER_LENGTH = 16_384
const LATEST_DATE = Date.UTC(9999, 11, 31)
const EPOCH = 'Thu, 01 Jan 1970 00:00:00 GMT'
const NONE: readonly string[] = []

// RFC 9110 5.6.2.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// 6265bis 4.1.1: no controls, blanks, quotes, comma, semicolon, backslash.
const COOKIE_OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/
// 6265bis 4.1.1 also allows blanks and commas, which some clients do not take for part of a path.
const PATH = /^\/[\x21-\x2b\x2d-\x3a\x3c-\x7e]*$/
// RFC 1123 2.1: letters, digits and hyphens.
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/**
 * The values of all cookies of one name, in the order of the header, as they were sent: nothing is
 * decoded, unquoted or cut.
 *
 * Exact on purpose: pairs are split at `;` alone, only SP and HTAB are trimmed (6265bis 5.6), and the
 * name must be the same in every byte. A percent-encoded, differently cased or differently blank
 * name is another cookie, so what a neighbouring host may set never passes for a prefixed one.
 * A comma splits nothing: a runtime that joins two Cookie headers by a comma hides the cookies
 * after it, and the visitor is anonymous, rather than letting any value bring cookies of its own.
 * (HTTP/2 and Node join by `; `: 6265bis 4.2.1, RFC 9113 8.2.3.)
 *
 * A header of more than 16,384 characters is not read at all, so that the work for a request has a
 * bound whatever the server lets through; Node refuses such requests by default.
 *
 * @param name - a token, as `checkCookieAttributes` has accepted it
 * @param most - values after this many are not looked at
 */
export function readCookie(
  header: string | undefined,
  name: string,
  most: number = 4,
): readonly string[] {
  if (header === undefined || header.length > MOST_HEADER_LENGTH) return NONE
  let found: string[] | undefined
  let start = 0
  while (start < header.length && (found === undefined || found.length < most)) {
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    const value = valueIn(header, name, start, end)
    if (value !== undefined) (found ??= []).push(value)
    start = end + 1
  }
  return found ?? NONE
}

// The part of the header from start to end, if it is `name=value`.
function valueIn(header: string, name: string, start: number, end: number): string | undefined {
  const nameStart = skipBlanks(header, start, end)
  if (!header.startsWith(name, nameStart)) return undefined
  const equals = skipBlanks(header, nameStart + name.length, end)
  if (equals >= end || header.charCodeAt(equals) !== EQUALS) return undefined
  const valueStart = skipBlanks(header, equals + 1, end)
  let valueEnd = end
  while (valueEnd > valueStart && isBlank(header.charCodeAt(valueEnd - 1))) valueEnd--
  return header.slice(valueStart, valueEnd)
}

function skipBlanks(text: string, start: number, end: number): number {
  let at = start
  while (at < end && isBlank(text.charCodeAt(at))) at++
  return at
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/**
 * The value of a Set-Cookie header. Attributes come in a fixed order.
 *
 * @throws SessionError `ERR_SESSION_OPTION` if the attributes are refused by
 * {@link checkCookieAttributes}, `ERR_SESSION_MISUSE` if the value or a time cannot be written
 */
export function serializeCookie(cookie: Cookie): string {
  const { name, value, maxAge } = cookie
  checkCookieAttributes(cookie, value.length)
  if (!COOKIE_OCTETS.test(value)) {
    throw misuse('The value of a cookie holds characters that it must not. Encode it in base64url.')
  }
  const life = maxAge === undefined ? '' : lifeOf(maxAge, cookie.expires)
  return `${name}=${value}${scopeOf(cookie)}${life}${flagsOf(cookie)}`
}

/**
 * The value of a Set-Cookie header that makes the browser drop the cookie. A browser drops only the
 * cookie of the same name, domain and path (6265bis 5.7), and refuses even a deletion that breaks the
 * rules of a prefix: give the attributes with which the cookie was set.
 */
export function deletionCookie(cookie: CookieAttributes & { readonly name: string }): string {
  checkCookieAttributes(cookie, 0)
  return `${cookie.name}=${scopeOf(cookie)}; Max-Age=0; Expires=${EPOCH}${flagsOf(cookie)}`
}

function scopeOf({ path, domain }: CookieAttributes): string {
  return domain === undefined ? `; Path=${path}` : `; Path=${path}; Domain=${domain}`
}

// Max-Age has precedence where both are known (6265bis 5.7), so it alone needs the limit of 400 days.
function lifeOf(maxAge: number, expires: number = Date.now() + maxAge * 1000): string {
  if (Number.isNaN(maxAge) || Number.isNaN(expires)) {
    throw misuse('maxAge and expires of a cookie must be numbers. Leave them out for none.')
  }
  const seconds = Math.min(Math.max(0, Math.ceil(maxAge)), MOST_SECONDS)
  const date = new Date(Math.min(Math.max(0, expires), LATEST_DATE)).toUTCString()
  return `; Max-Age=${seconds}; Expires=${date}`
}

function flagsOf({ secure, sameSite, partitioned }: CookieAttributes): string {
  const sameSites = { lax: 'Lax', strict: 'Strict', none: 'None' } as const
  const mode = `; HttpOnly; SameSite=${sameSites[sameSite]}`
  return `${secure ? '; Secure' : ''}${mode}${partitioned ? '; Partitioned' : ''}`
}

/**
 * The name of a cookie on the wire. The prefix tells browsers to refuse the cookie when anything else
 * than this server, over https, sets it: `__Host-Http-` if it is bound to the host and `/`,
 * `__Secure-` with a domain or another path, none if it is not secure. A name that has a prefix
 * already is kept.
 */
export function wireName(
  name: string,
  { secure, domain, path }: Pick<CookieAttributes, 'secure' | 'domain' | 'path'>,
): string {
  if (!secure || prefixOf(name) !== undefined) return name
  return domain === undefined && path === '/' ? `__Host-Http-${name}` : `__Secure-${name}`
}

/**
 * Refuses a cookie that browsers would drop, or that would write more into the header than itself.
 *
 * @param cookie - with its name on the wire
 * @param longestValue - bytes of the longest value it will have
 * @throws SessionError `ERR_SESSION_OPTION`, with what to do
 */
export function checkCookieAttributes(
  cookie: CookieAttributes & { readonly name: string },
  longestValue: number,
): void {
  const problem =
    problemOfName(cookie, longestValue) ??
    problemOfDomain(cookie.domain) ??
    problemOfPath(cookie.path) ??
    problemOfFlags(cookie) ??
    problemOfPrefix(cookie)
  if (problem !== undefined) throw new SessionError('ERR_SESSION_OPTION', `cookie.${problem}`)
}

function problemOfName({ name }: { readonly name: string }, longest: number): string | undefined {
  if (!TOKEN.test(name)) return 'name must be letters, digits, - and _. Use another name.'
  const most = MOST_PAIR_BYTES - longest
  return name.length > most
    ? `name is too long: it may have ${most} characters. Use a shorter one.`
    : undefined
}

function problemOfDomain(domain: string | undefined): string | undefined {
  if (domain === undefined) return undefined
  const labels = domain.split('.')
  // A leading dot is ignored by browsers, a trailing one makes them drop the attribute (6265bis 4.1.2.3).
  if (domain.length > 253 || !labels.every((label) => LABEL.test(label))) {
    return "domain must be a host name such as 'example.com', in ASCII, without dots at its ends."
  }
  return /^\d+$/.test(labels.at(-1) ?? '')
    ? 'domain must not be an IP address: it has no subdomains. Leave cookie.domain out.'
    : undefined
}

function problemOfPath(path: string): string | undefined {
  if (!PATH.test(path)) {
    return "path must begin with '/' and have no blank, comma, semicolon or other than ASCII. Percent-encode it."
  }
  return path.length > MOST_ATTRIBUTE_BYTES
    ? `path has more than ${MOST_ATTRIBUTE_BYTES} characters: browsers ignore it. Use a shorter one.`
    : undefined
}

function problemOfFlags({ secure, sameSite, partitioned }: CookieAttributes): string | undefined {
  if (!['lax', 'strict', 'none'].includes(sameSite)) {
    return "sameSite must be 'lax', 'strict' or 'none'."
  }
  // 6265bis 5.7; for Partitioned: CHIPS.
  if (secure) return undefined
  if (sameSite === 'none') return `sameSite 'none' ${NEEDS_SECURE}`
  return partitioned ? `partitioned ${NEEDS_SECURE}` : undefined
}

const NEEDS_SECURE =
  'needs a secure cookie: browsers drop it otherwise. Leave insecureDevelopment out.'

// What a browser demands of each prefix: 6265bis 5.7, layered 5.4.3.
function problemOfPrefix(cookie: CookieAttributes & { readonly name: string }): string | undefined {
  const prefix = prefixOf(cookie.name)
  if (prefix === undefined) return undefined
  const begins = `name begins with '${cookie.name.slice(0, prefix.length)}':`
  if (!cookie.secure) return `${begins} that ${NEEDS_SECURE} Or give the name without the prefix.`
  if (!prefix.startsWith('__host-')) return undefined
  const advice = `Leave that out, or name the cookie '__Secure-${cookie.name.slice(prefix.length)}'.`
  if (cookie.domain !== undefined) return `${begins} browsers drop it with cookie.domain. ${advice}`
  return cookie.path === '/'
    ? undefined
    : `${begins} browsers drop it unless cookie.path is '/'. ${advice}`
}

function prefixOf(name: string): string | undefined {
  const lower = name.toLowerCase()
  return PREFIXES.find((prefix) => lower.startsWith(prefix))
}

function misuse(problem: string): SessionError {
  return new SessionError('ERR_SESSION_MISUSE', problem)
}
