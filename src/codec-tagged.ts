import { MOST_DIGITS } from './codec-inspect.ts'
import type { ValueLimits } from './codec-inspect.ts'
import { SessionError } from './errors.ts'

/** The one key that tagged values use. A plain object that has this key is tagged itself. */
const MARK = '~'

const LATEST = 8.64e15

/**
 * The text of a value that `Inspection` has accepted. It is the text of `JSON.stringify`, with
 * tagged objects for what JSON cannot hold; no `toJSON` is called, whoever has defined one.
 */
export function write(value: unknown): string {
  if (typeof value === 'object' && value !== null) return writeThing(value)
  if (value === undefined) return `{"${MARK}":["undefined"]}`
  if (typeof value === 'bigint') return tagged('bigint', `"${value}"`)
  return Object.is(value, -0) ? tagged('number', '"-0"') : JSON.stringify(value)
}

function writeThing(value: object): string {
  if (Array.isArray(value)) return writeList(value)
  if (value instanceof Map) return tagged('map', writeList(value))
  if (value instanceof Set) return tagged('set', writeList(value))
  if (value instanceof Date) return tagged('date', `${value.getTime()}`)
  if (value instanceof Uint8Array) return tagged('bytes', `"${base64(value)}"`)
  const text = `{${Object.entries(value).map(writeProperty).join(',')}}`
  return Object.hasOwn(value, MARK) ? tagged('object', text) : text
}

function writeList(values: Iterable<unknown>): string {
  return `[${Array.from(values, write).join(',')}]`
}

function writeProperty([name, value]: [string, unknown]): string {
  return `${JSON.stringify(name)}:${write(value)}`
}

function tagged(tag: string, payload: string): string {
  return `{"${MARK}":["${tag}",${payload}]}`
}

/**
 * Makes a value of parsed JSON, in place. It lets through only what `write` or `JSON.stringify` can
 * have written of an accepted value, so whatever it returns can be encoded again: no key
 * `__proto__`, no infinite number, nothing beyond the limits, and no prototype but those of plain
 * objects, arrays, Date, Map, Set and Uint8Array.
 */
export class Reader {
  readonly #limits: Pick<ValueLimits, 'depth' | 'nodes'>
  readonly #tags: boolean
  #nodes = 0

  /** @param tags - whether tagged objects are looked for */
  constructor(limits: Pick<ValueLimits, 'depth' | 'nodes'>, tags: boolean) {
    this.#limits = limits
    this.#tags = tags
  }

  /** @throws SessionError `ERR_SESSION_CORRUPT` */
  read(value: unknown, depth: number): unknown {
    if (++this.#nodes > this.#limits.nodes) throw corrupt('it holds too many values')
    if (typeof value === 'object' && value !== null) return this.#readThing(value, depth)
    if (typeof value === 'string') return wellFormed(value)
    if (typeof value !== 'number' || Number.isFinite(value)) return value
    throw corrupt('it holds a number that is too large')
  }

  #readThing(value: object, depth: number): unknown {
    if (!isRecord(value)) return this.#readArray(listOf(value), depth)
    const isTagged = this.#tags && Object.hasOwn(value, MARK)
    return isTagged ? this.#readTagged(value, depth) : this.#readObject(value, depth)
  }

  #readArray(array: unknown[], depth: number): unknown[] {
    this.#enter(depth)
    for (let index = 0; index < array.length; index++) {
      const item = array[index]
      const value = this.read(item, depth + 1)
      if (value !== item) array[index] = value
    }
    return array
  }

  #readObject(object: Record<string, unknown>, depth: number): object {
    this.#enter(depth)
    for (const name of Object.keys(object)) {
      if (name === '__proto__') throw corrupt('it holds a name that could change a prototype')
      wellFormed(name)
      const item = object[name]
      const value = this.read(item, depth + 1)
      if (value !== item) object[name] = value
    }
    return object
  }

  #readTagged(object: Record<string, unknown>, depth: number): unknown {
    const box = object[MARK]
    if (!Array.isArray(box) || Object.keys(object).length !== 1) throw oddTag()
    const [tag, payload]: unknown[] = box
    if (box.length !== (tag === 'undefined' ? 1 : 2)) throw oddTag()
    switch (tag) {
      case 'undefined':
        return undefined
      case 'number':
        return readMinusZero(payload)
      case 'bigint':
        return readBigInt(payload)
      case 'date':
        return readDate(payload)
      case 'bytes':
        return readBytes(payload)
      case 'map':
        return this.#readMap(payload, depth)
      case 'set':
        return this.#readSet(payload, depth)
      case 'object':
        return this.#readMarked(payload, depth)
      default:
        throw corrupt('it holds a tag that this version does not know')
    }
  }

  #readMap(payload: unknown, depth: number): Map<unknown, unknown> {
    this.#enter(depth)
    const map = new Map<unknown, unknown>()
    for (const entry of listOf(payload)) {
      const pair = listOf(entry)
      if (pair.length !== 2) throw oddTag()
      map.set(this.read(pair[0], depth + 1), this.read(pair[1], depth + 1))
    }
    if (map.size !== listOf(payload).length) throw oddTag()
    return map
  }

  #readSet(payload: unknown, depth: number): Set<unknown> {
    const values = this.#readArray(listOf(payload), depth)
    const set = new Set(values)
    if (set.size !== values.length) throw oddTag()
    return set
  }

  // Only an object that really has the key is written in this way.
  #readMarked(payload: unknown, depth: number): object {
    if (typeof payload !== 'object' || payload === null || !isRecord(payload)) throw oddTag()
    if (!Object.hasOwn(payload, MARK)) throw oddTag()
    return this.#readObject(payload, depth)
  }

  #enter(depth: number): void {
    if (depth >= this.#limits.depth) throw corrupt('it is nested too deep')
  }
}

/** The error for stored text that cannot be read. It never holds any of the text. */
export function corrupt(reason: string): SessionError {
  const advice = 'It is kept as it is: set or delete the value to be rid of it.'
  return new SessionError(
    'ERR_SESSION_CORRUPT',
    `A stored value cannot be read: ${reason}. ${advice}`,
  )
}

function oddTag(): SessionError {
  return corrupt('it holds a tag with content that does not belong to it')
}

function wellFormed(text: string): string {
  if (text.isWellFormed()) return text
  throw corrupt('it holds text with half of a surrogate pair')
}

function readMinusZero(payload: unknown): number {
  if (payload === '-0') return -0
  throw oddTag()
}

function readBigInt(payload: unknown): bigint {
  const fits = typeof payload === 'string' && payload.length <= MOST_DIGITS + 1
  if (!fits || !/^(?:0|-?[1-9]\d*)$/.test(payload)) throw oddTag()
  const value = BigInt(payload)
  if (payload.length > MOST_DIGITS && value > 0n) throw oddTag()
  return value
}

function readDate(payload: unknown): Date {
  const fits = typeof payload === 'number' && Number.isInteger(payload)
  if (fits && Math.abs(payload) <= LATEST) return new Date(payload)
  throw oddTag()
}

// Node's decoder skips what is not base64: only the one spelling that `write` uses is accepted.
function readBytes(payload: unknown): Uint8Array {
  if (typeof payload !== 'string') throw oddTag()
  const bytes = new Uint8Array(Buffer.from(payload, 'base64'))
  if (base64(bytes) !== payload) throw oddTag()
  return bytes
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function listOf(payload: unknown): unknown[] {
  if (Array.isArray(payload)) return payload
  throw oddTag()
}

function isRecord(value: object): value is Record<string, unknown> {
  return !Array.isArray(value)
}
