import { SessionError } from '../errors.ts'

/** The attributes of a cookie that a handler sets. */
export interface CookieAttributes {
  readonly domain?: string | undefined
  /** When the browser drops it: a date, or ms since the epoch. Goes before `expiresDays`. */
  readonly expires?: Date | number | undefined
  /** In how many days the browser drops it. Without it, when the browser is closed. */
  readonly expiresDays?: number | undefined
  /** Seconds. */
  readonly maxAge?: number | undefined
  /** @default '/' */
  readonly path?: string | undefined
  readonly httpOnly?: boolean | undefined
  readonly secure?: boolean | undefined
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// What Python calls legal in a name, and sends without quotes: a token (RFC 9110), or a colon.
const BARE = /^[!#$%&'*+\-.^_`|~:0-9A-Za-z]+$/
const ESCAPED = /[^!#$%&'*+\-.^_`|~:0-9A-Za-z ()/<=>?@[\]{}]/g
const BREAKS_ATTRIBUTE = /[^\x21-\x3a\x3c-\x7e]/
const DAY = 86_400_000

/** Attribute words, which Python does not accept as names of cookies. */
const RESERVED: ReadonlySet<string> = new Set([
  'comment',
  'domain',
  'expires',
  'httponly',
  'max-age',
  'path',
  'samesite',
  'secure',
  'version',
])

/**
 * The value as it goes on the wire: bare if it may, else in double quotes with `\ooo` for what
 * neither may stand there, as Python's `http.cookies` writes it.
 */
export function quoteCookieValue(value: string): string {
  return BARE.test(value) ? value : `"${value.replace(ESCAPED, escapeCharacter)}"`
}

function escapeCharacter(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`
  const code = char.charCodeAt(0)
  return code > 0xff ? char : `\\${code.toString(8).padStart(3, '0')}`
}

/** The value that was quoted; a text without quotes around it is returned as it is. Linear in its length. */
export function unquoteCookieValue(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text
  return text
    .slice(1, -1)
    .replace(/\\(?:([0-3][0-7]{2})|([^]))/g, (_, octal?: string, char?: string) =>
      octal === undefined ? (char ?? '') : String.fromCharCode(Number.parseInt(octal, 8)),
    )
}

/**
 * All pairs of a Cookie header: the last of a name wins, what has no `=` is under the empty name.
 * Nothing is percent-decoded. Only spaces and tabs are trimmed: a wider trim would let `\xa0__Host-x`
 * pass for `__Host-x`.
 */
export function parseCookieHeader(header: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const pair of header.split(';')) {
    const end = pair.indexOf('=')
    const name = trimBlanks(end === -1 ? '' : pair.slice(0, end))
    const value = trimBlanks(pair.slice(end + 1))
    if (name !== '' || value !== '') found.set(name, unquoteCookieValue(value))
  }
  return found
}

/** The cookies of a request: the pairs whose name is a cookie token and no attribute word. */
export function parseRequestCookies(header: string): Map<string, string> {
  const cookies = parseCookieHeader(header)
  for (const name of cookies.keys()) {
    if (!BARE.test(name) || RESERVED.has(name.toLowerCase())) cookies.delete(name)
  }
  return cookies
}

function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  return text.slice(start, end)
}

function isBlank(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t'
}

/**
 * A Set-Cookie line, with the attributes in Tornado's order.
 *
 * @param now - ms since the epoch, for `expiresDays`
 * @throws SessionError `ERR_SESSION_MISUSE` for a name, a value or an attribute that cannot be sent;
 * the message does not show the value
 */
export function formatSetCookie(
  name: string,
  value: string,
  attributes: CookieAttributes,
  now: number,
): string {
  if (!TOKEN.test(name) || RESERVED.has(name.toLowerCase())) {
    throw misuse(
      `A cookie cannot be named ${JSON.stringify(name.slice(0, 40))}: take letters, digits, - and _.`,
    )
  }
  if (/[^\x21-\xff]/.test(value)) {
    throw misuse(
      `The value of cookie '${name}' has a character that a cookie cannot hold. Encode it first.`,
    )
  }
  return [`${name}=${quoteCookieValue(value)}`, ...attributesOf(name, attributes, now)].join('; ')
}

function attributesOf(name: string, attributes: CookieAttributes, now: number): string[] {
  const { domain, maxAge, path = '/', sameSite } = attributes
  const expires = expiresOf(attributes, now)
  const lines: string[] = []
  if (domain) lines.push(`Domain=${attributeText(name, 'domain', domain)}`)
  if (expires !== undefined) lines.push(`expires=${new Date(expires).toUTCString()}`)
  if (attributes.httpOnly) lines.push('HttpOnly')
  if (maxAge !== undefined) lines.push(`Max-Age=${Math.trunc(maxAge)}`)
  if (path) lines.push(`Path=${attributeText(name, 'path', path)}`)
  if (sameSite) lines.push(`SameSite=${attributeText(name, 'sameSite', capitalised(sameSite))}`)
  if (attributes.secure) lines.push('Secure')
  return lines
}

function expiresOf({ expires, expiresDays }: CookieAttributes, now: number): number | undefined {
  if (expires !== undefined) return Number(expires)
  return expiresDays === undefined ? undefined : now + expiresDays * DAY
}

function attributeText(name: string, attribute: string, text: string): string {
  if (!BREAKS_ATTRIBUTE.test(text)) return text
  throw misuse(`The ${attribute} of cookie '${name}' has a character that would end the attribute.`)
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

function misuse(message: string): SessionError {
  return new SessionError('ERR_SESSION_MISUSE', message)
}
