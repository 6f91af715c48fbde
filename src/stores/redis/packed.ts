/**
 * One session as one Redis string: well-formed text, so that every client returns it unharmed, in
 * which nothing is counted, so that it reads the same in bytes (the scripts) and in UTF-16.
 *
 * ```
 * s1 expiresAt deadline createdAt generation [ ,fence,authenticatedAt,rememberFor,renewedAt ] U+0000
 * [ u user U+0000 ] [ a user agent U+0000 ] [ i address U+0000 ]
 * { U+0001 name U+0000 U+0002 text U+0000 }
 * ```
 *
 * without the blanks. `s` and the version of the format; the first three times with 13 digits, so that
 * they compare as text, the others in ms after `createdAt`; what is absent is empty, and so are a fence that
 * is the generation and a `renewedAt` that is `createdAt`. U+0000 occurs nowhere else: it ends each
 * part, and the character after it says what the next part is.
 *
 * @module
 */

import { isAscii } from 'node:buffer'
import { SessionError } from '../../errors.ts'
import type { ClientInfo, SessionRecord } from '../../store.ts'
import { corrupt, newer } from './failures.ts'
import { PackedValues, fromBytes } from './packed-values.ts'
import type { Decode } from './packed-values.ts'

const VERSION = 's1'
const TIME = 13
const GENERATION = VERSION.length + 3 * TIME
const [USER, USER_AGENT, ADDRESS] = ['u', 'a', 'i'] as const
const NEWER = /^s[2-9a-z]/
// In the year 2255, so that 13 digits are enough by every clock: what ends later is cut to it.
const LAST_TIME = 9_000_000_000_000

type Draft = { -readonly [Name in keyof SessionRecord]: SessionRecord[Name] }

/**
 * The text of a new record.
 *
 * @throws SessionError `ERR_SESSION_VALUE` if a part holds U+0000, which would end it early
 */
export function pack(record: SessionRecord): string {
  const { expiresAt, deadline, createdAt, user, client } = record
  let text = `s1${digits(expiresAt)}${digits(deadline)}${digits(createdAt)}${credential(record)}\0`
  if (user !== undefined) text += `u${checked(user)}\0`
  if (client?.userAgent !== undefined) text += `a${checked(client.userAgent)}\0`
  if (client?.address !== undefined) text += `i${checked(client.address)}\0`
  for (const [name, value] of record.values)
    text += `\u0001${checked(name)}\0\u0002${checked(value)}\0`
  return text
}

/** The generation and, unless all of it is as usual, the rest of the header. */
function credential(record: SessionRecord): string {
  const { generation, authenticatedAt, rememberFor = '' } = record
  const created = kept(record.createdAt)
  const fence = record.fence === generation ? '' : record.fence
  const login = authenticatedAt === undefined ? '' : kept(authenticatedAt) - created
  const renewed = kept(record.renewedAt) - created || ''
  const rest = `,${fence},${login},${rememberFor},${renewed}`
  return rest === ',,,,' ? `${generation}` : `${generation}${rest}`
}

/**
 * The record of a text. Its values are looked up, and decoded, when they are asked for.
 *
 * @param reply - the text, or its bytes in UTF-8
 * @param ahead - ms to take from every time: how far the clock of Redis is ahead
 * @throws SessionError `ERR_SESSION_CORRUPT`, `ERR_SESSION_VERSION`
 */
export function unpack(reply: string | Buffer, ahead = 0): SessionRecord {
  const decode = typeof reply === 'string' || isAscii(reply) ? undefined : fromBytes
  const text = typeof reply === 'string' ? reply : reply.toString('latin1')
  if (!text.startsWith(VERSION) || !text.endsWith('\0')) {
    throw NEWER.test(text) ? newer() : corrupt()
  }
  const parts = text.indexOf('\0', GENERATION) + 1
  const record = recordOf(text, parts - 1, ahead)
  record.values = new PackedValues(text, readParts(record, text, parts, decode), decode)
  return record
}

function recordOf(text: string, end: number, ahead: number): Draft {
  let stop = GENERATION
  while (stop < end && text.charCodeAt(stop) !== COMMA) stop++
  const createdAt = timeIn(text, 2) - ahead
  const generation = numberIn(text, GENERATION, stop)
  const record: Draft = {
    createdAt,
    expiresAt: timeIn(text, 0) - ahead,
    deadline: timeIn(text, 1) - ahead,
    generation,
    renewedAt: createdAt,
    fence: generation,
    values: NOTHING,
  }
  if (stop < end) readCredential(record, text, stop + 1, end)
  return record
}

/** Reads what in the header is not as usual. */
function readCredential(record: Draft, text: string, fence: number, end: number): void {
  const login = text.indexOf(',', fence) + 1
  const remember = text.indexOf(',', login) + 1
  const renewed = text.indexOf(',', remember) + 1
  if (login === 0 || remember === 0 || renewed === 0 || renewed > end) throw corrupt()
  const { createdAt } = record
  if (login - 1 > fence) record.fence = numberIn(text, fence, login - 1)
  if (remember - 1 > login) record.authenticatedAt = createdAt + msIn(text, login, remember - 1)
  if (renewed - 1 > remember) record.rememberFor = numberIn(text, remember, renewed - 1)
  if (end > renewed) record.renewedAt = createdAt + msIn(text, renewed, end)
}

/** Reads what is known of the user and the client, and answers where the values begin. */
function readParts(record: Draft, text: string, start: number, decode: Decode | undefined): number {
  let at = start
  const part = (mark: string): string | undefined => {
    if (text[at] !== mark) return undefined
    const [from, end] = [at + 1, text.indexOf('\0', at)]
    at = end + 1
    const found = text.slice(from, end)
    return decode === undefined ? found : decode(found)
  }
  const user = part(USER)
  if (user !== undefined) record.user = user
  const client = clientOf(part(USER_AGENT), part(ADDRESS))
  if (client !== undefined) record.client = client
  return at
}

function timeIn(text: string, index: number): number {
  const from = VERSION.length + TIME * index
  return numberIn(text, from, from + TIME)
}

function msIn(text: string, from: number, end: number): number {
  return text[from] === '-' ? -numberIn(text, from + 1, end) : numberIn(text, from, end)
}

// By hand: a regular expression would make a text of each number first.
function numberIn(text: string, from: number, end: number): number {
  if (end <= from) throw corrupt()
  let number = 0
  for (let at = from; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (!(digit >= 0 && digit <= 9)) throw corrupt()
    number = number * 10 + digit
  }
  return number
}

const ZERO = 0x30
const COMMA = 0x2c
const NOTHING: ReadonlyMap<string, string> = new Map()

/** Text that may become a part. @throws SessionError `ERR_SESSION_VALUE` */
export function checked(text: string): string {
  if (!text.includes('\0')) return text
  const message =
    'A name, a value or a user holds U+0000, which no store keeps. Remove it before it is set.'
  throw new SessionError('ERR_SESSION_VALUE', message)
}

/** A time as the format holds it. */
export function digits(time: number): string {
  const text = `${kept(time)}`
  return text.length === 13 ? text : text.padStart(13, '0')
}

function kept(time: number): number {
  return Math.min(Math.max(1, Math.floor(time)), LAST_TIME)
}

function clientOf(
  userAgent: string | undefined,
  address: string | undefined,
): ClientInfo | undefined {
  if (userAgent === undefined) return address === undefined ? undefined : { address }
  return address === undefined ? { userAgent } : { userAgent, address }
}
