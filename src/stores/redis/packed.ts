/**
 * One session as one Redis string: well-formed text, so that every client returns it unharmed, in
 * which nothing is counted, so that it reads the same in bytes (the scripts) and in UTF-16.
 *
 * ```
 * s1 expiresAt deadline createdAt renewedAt generation,fence,authenticatedAt,rememberFor U+0000
 * [ u user U+0000 ] [ a user agent U+0000 ] [ i address U+0000 ]
 * { U+0001 name U+0000 U+0002 text U+0000 }
 * ```
 *
 * without the blanks. `s` and the version of the format; times with 13 digits, so that they compare as
 * text; what is absent is empty. U+0000 occurs nowhere else: it ends each part, and the character
 * after it says what the next part is.
 *
 * @module
 */

import { isAscii } from 'node:buffer'
import { SessionError } from '../../errors.ts'
import type { ClientInfo, SessionRecord } from '../../store.ts'
import { corrupt, newer } from './failures.ts'
import { PackedValues, fromBytes } from './packed-values.ts'
import type { Decode } from './packed-values.ts'

const HEADER =
  /^s1(\d{13})(\d{13})(\d{13})(\d{13})(\d+),(\d+),(\d*),(\d*)\0(?:u([^\0]*)\0)?(?:a([^\0]*)\0)?(?:i([^\0]*)\0)?/
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
  const { expiresAt, deadline, createdAt, renewedAt, authenticatedAt, user, client } = record
  const login = authenticatedAt === undefined ? '' : digits(authenticatedAt)
  let text = `s1${digits(expiresAt)}${digits(deadline)}${digits(createdAt)}${digits(renewedAt)}`
  text += `${record.generation},${record.fence},${login},${record.rememberFor ?? ''}\0`
  if (user !== undefined) text += `u${checked(user)}\0`
  if (client?.userAgent !== undefined) text += `a${checked(client.userAgent)}\0`
  if (client?.address !== undefined) text += `i${checked(client.address)}\0`
  for (const [name, value] of record.values)
    text += `\u0001${checked(name)}\0\u0002${checked(value)}\0`
  return text
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
  const header = HEADER.exec(text)
  if (header === null || !text.endsWith('\0')) throw NEWER.test(text) ? newer() : corrupt()
  const record: Draft = {
    createdAt: Number(header[3]) - ahead,
    expiresAt: Number(header[1]) - ahead,
    deadline: Number(header[2]) - ahead,
    generation: Number(header[5]),
    renewedAt: Number(header[4]) - ahead,
    fence: Number(header[6]),
    values: new PackedValues(text, header[0].length, decode),
  }
  if (header[7] !== '') record.authenticatedAt = Number(header[7]) - ahead
  if (header[8] !== '') record.rememberFor = Number(header[8])
  const { 9: user, 10: userAgent, 11: address } = header
  if (user !== undefined) record.user = textOf(user, decode)
  const client = clientOf(textOf(userAgent, decode), textOf(address, decode))
  if (client !== undefined) record.client = client
  return record
}

/** Text that may become a part. @throws SessionError `ERR_SESSION_VALUE` */
export function checked(text: string): string {
  if (!text.includes('\0')) return text
  const message =
    'A name, a value or a user holds U+0000, which no store keeps. Remove it before it is set.'
  throw new SessionError('ERR_SESSION_VALUE', message)
}

/** A time as the format holds it. */
export function digits(time: number): string {
  const text = `${Math.min(Math.max(1, Math.floor(time)), LAST_TIME)}`
  return text.length === 13 ? text : text.padStart(13, '0')
}

function textOf(part: string, decode: Decode | undefined): string
function textOf(part: string | undefined, decode: Decode | undefined): string | undefined
function textOf(part: string | undefined, decode: Decode | undefined): string | undefined {
  return part === undefined || decode === undefined ? part : decode(part)
}

function clientOf(
  userAgent: string | undefined,
  address: string | undefined,
): ClientInfo | undefined {
  if (userAgent === undefined) return address === undefined ? undefined : { address }
  return address === undefined ? { userAgent } : { userAgent, address }
}
