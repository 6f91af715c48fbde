/**
 * A record as bytes, for engines that keep a session as one value.
 *
 * `S`, version, CRC-32 of the rest (4 bytes), flags, the times and counters (8 bytes each), how many
 * texts there are and how long each is (LEB128), and the texts in UTF-8. The checksum finds what a
 * damaged medium did; it is no protection against somebody who can write to the engine.
 *
 * @module
 */

import { crc32 } from 'node:zlib'
import { SessionError } from './errors.ts'
import type { ClientInfo, SessionRecord } from './store.ts'

type Draft = { -readonly [Name in keyof SessionRecord]: SessionRecord[Name] }
type ClientDraft = { -readonly [Name in keyof ClientInfo]: ClientInfo[Name] }

const MARK = 0x53
const VERSION = 1
const CHECKSUM_AT = 2
const FLAGS_AT = 6
const NUMBERS_AT = 7
const FIXED_NUMBERS = 6

const HAS_USER = 1
const HAS_AUTHENTICATED_AT = 2
const HAS_REMEMBER_FOR = 4
const HAS_CLIENT = 8
const HAS_USER_AGENT = 16
const HAS_ADDRESS = 32

/** The record as bytes that `unpackRecord` reads. */
export function packRecord(record: SessionRecord): Uint8Array {
  const numbers = numbersOf(record)
  const texts = textsOf(record)
  const text = texts.join('')
  const lengthsAt = NUMBERS_AT + 8 * numbers.length
  const textAt = lengthsAt + lengthsSize(texts)
  const bytes = Buffer.allocUnsafe(textAt + Buffer.byteLength(text))
  bytes[0] = MARK
  bytes[1] = VERSION
  bytes[FLAGS_AT] = flagsOf(record)
  for (const [index, number] of numbers.entries())
    bytes.writeDoubleLE(number, NUMBERS_AT + 8 * index)
  writeLengths(bytes, lengthsAt, texts)
  bytes.write(text, textAt, 'utf8')
  bytes.writeUInt32LE(crc32(bytes.subarray(FLAGS_AT)), CHECKSUM_AT)
  return bytes
}

/**
 * The record in these bytes, whole and with nothing of the bytes shared.
 *
 * @throws SessionError `ERR_SESSION_VERSION` if a newer version wrote them, `ERR_SESSION_CORRUPT` if
 * they are not what `packRecord` made
 */
export function unpackRecord(bytes: Uint8Array): SessionRecord {
  return new Reader(checked(bytes)).record()
}

/**
 * `expiresAt` of the record in these bytes, without reading the rest.
 *
 * @throws SessionError as `unpackRecord`; only the first bytes are looked at, not the checksum
 */
export function packedExpiry(bytes: Uint8Array): number {
  return recognized(bytes).readDoubleLE(NUMBERS_AT)
}

/** The checksum that is in these bytes, whether or not it is theirs: records with two of them are not the same. */
export function packedChecksum(bytes: Uint8Array): number {
  const at = CHECKSUM_AT
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
  return low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}

function checked(bytes: Uint8Array): Buffer {
  const buffer = recognized(bytes)
  if (crc32(buffer.subarray(FLAGS_AT)) !== buffer.readUInt32LE(CHECKSUM_AT)) throw corrupt()
  return buffer
}

function recognized(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = buffer[1] ?? 0
  if (buffer[0] !== MARK || version === 0) throw corrupt()
  if (version > VERSION) throw newer(version)
  if (buffer.length <= NUMBERS_AT + 8 * FIXED_NUMBERS) throw corrupt()
  return buffer
}

/** Reads front to back. What it throws beyond the end of the bytes is `ERR_SESSION_CORRUPT`. */
class Reader {
  readonly #bytes: Buffer
  readonly #flags: number
  #at = NUMBERS_AT
  #texts = ''
  #textAt = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#flags = bytes[FLAGS_AT] ?? 0
  }

  record(): SessionRecord {
    const record = this.#numbers()
    if (this.#has(HAS_AUTHENTICATED_AT)) record.authenticatedAt = this.#number()
    if (this.#has(HAS_REMEMBER_FOR)) record.rememberFor = this.#number()
    const lengths = this.#lengths()
    this.#texts = this.#bytes.toString('utf8', this.#at)
    let next = 0
    const text = (): string => this.#text(lengths[next++])
    if (this.#has(HAS_USER)) record.user = text()
    if (this.#has(HAS_CLIENT)) record.client = this.#client(text)
    record.values = valuesOf(lengths.length - next, text)
    if (next !== lengths.length || this.#textAt !== this.#texts.length) throw corrupt()
    return record
  }

  #numbers(): Draft {
    const expiresAt = this.#number()
    const createdAt = this.#number()
    const deadline = this.#number()
    const renewedAt = this.#number()
    const generation = this.#number()
    const fence = this.#number()
    return { createdAt, expiresAt, deadline, generation, renewedAt, fence, values: NOTHING }
  }

  #client(text: () => string): ClientInfo {
    const client: ClientDraft = {}
    if (this.#has(HAS_USER_AGENT)) client.userAgent = text()
    if (this.#has(HAS_ADDRESS)) client.address = text()
    return client
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0
  }

  #number(): number {
    if (this.#at + 8 > this.#bytes.length) throw corrupt()
    const number = this.#bytes.readDoubleLE(this.#at)
    this.#at += 8
    if (Number.isNaN(number)) throw corrupt()
    return number
  }

  #lengths(): readonly number[] {
    const count = this.#length()
    // Each length takes a byte at least: a count beyond that would only make a huge array.
    if (count > this.#bytes.length - this.#at) throw corrupt()
    const lengths: number[] = []
    for (let index = 0; index < count; index++) lengths.push(this.#length())
    return lengths
  }

  #length(): number {
    let length = 0
    for (let scale = 1; scale <= 0x10_00_00_00; scale *= 0x80) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw corrupt()
      length += (byte & 0x7f) * scale
      if (byte < 0x80) return length
    }
    throw corrupt()
  }

  #text(length: number | undefined): string {
    if (length === undefined) throw corrupt()
    const from = this.#textAt
    this.#textAt += length
    if (this.#textAt > this.#texts.length) throw corrupt()
    return this.#texts.slice(from, this.#textAt)
  }
}

const NOTHING: ReadonlyMap<string, string> = new Map()

function valuesOf(count: number, text: () => string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (let index = 0; index < count; index += 2) values.set(text(), text())
  // A name that came twice would hide a value.
  if (values.size * 2 !== count) throw corrupt()
  return values
}

function flagsOf({ user, authenticatedAt, rememberFor, client }: SessionRecord): number {
  let flags = 0
  if (user !== undefined) flags |= HAS_USER
  if (authenticatedAt !== undefined) flags |= HAS_AUTHENTICATED_AT
  if (rememberFor !== undefined) flags |= HAS_REMEMBER_FOR
  if (client !== undefined) flags |= HAS_CLIENT
  if (client?.userAgent !== undefined) flags |= HAS_USER_AGENT
  if (client?.address !== undefined) flags |= HAS_ADDRESS
  return flags
}

// The order of `Reader.#numbers`; `expiresAt` is first, where `packedExpiry` looks for it.
function numbersOf(record: SessionRecord): readonly number[] {
  const { createdAt, expiresAt, deadline, renewedAt, generation, fence } = record
  const numbers = [expiresAt, createdAt, deadline, renewedAt, generation, fence]
  if (record.authenticatedAt !== undefined) numbers.push(record.authenticatedAt)
  if (record.rememberFor !== undefined) numbers.push(record.rememberFor)
  return numbers
}

function textsOf({ user, client, values }: SessionRecord): readonly string[] {
  const texts: string[] = []
  if (user !== undefined) texts.push(user)
  if (client?.userAgent !== undefined) texts.push(client.userAgent)
  if (client?.address !== undefined) texts.push(client.address)
  for (const [name, value] of values) texts.push(name, value)
  return texts
}

function lengthsSize(texts: readonly string[]): number {
  let size = lengthSize(texts.length)
  for (const text of texts) size += lengthSize(text.length)
  return size
}

function lengthSize(length: number): number {
  let size = 1
  for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

function writeLengths(bytes: Buffer, start: number, texts: readonly string[]): void {
  let at = writeLength(bytes, start, texts.length)
  for (const text of texts) at = writeLength(bytes, at, text.length)
}

function writeLength(bytes: Buffer, start: number, length: number): number {
  let at = start
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80
  bytes[at++] = rest
  return at
}

function corrupt(): SessionError {
  return new SessionError(
    'ERR_SESSION_CORRUPT',
    'A stored session cannot be read: its bytes are damaged, or something else wrote them. It is kept as it is; destroy it to be rid of it.',
  )
}

function newer(version: number): SessionError {
  return new SessionError(
    'ERR_SESSION_VERSION',
    `A stored session has format ${version} and this version reads up to ${VERSION}. It is kept as it is; update this process too.`,
  )
}
