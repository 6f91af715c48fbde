import { types } from 'node:util'
import { describeForeign } from './codec-foreign.ts'
import { formatPath } from './codec-path.ts'
import type { Step } from './codec-path.ts'
import { SessionError } from './errors.ts'

/** How much one value may hold. */
export interface ValueLimits {
  /** Bytes of the encoded text in UTF-8. */
  readonly bytes: number
  /** How deep arrays, objects, Maps and Sets may be nested: `[[1]]` is 2 deep. */
  readonly depth: number
  /** Values in all, counting every container, element, property, and both sides of a Map entry. */
  readonly nodes: number
}

/** A bigint with more decimal digits than this is refused: reading one takes quadratic time. */
export const MOST_DIGITS = 10_000

const TOO_MANY_DIGITS = 10n ** BigInt(MOST_DIGITS)

/**
 * Walks a value once, before it is written: refuses what cannot be stored, with the path to it, and
 * tells whether JSON alone can hold it. It runs no code of the value: no getter, no `toJSON`.
 */
export class Inspection {
  readonly #limits: ValueLimits
  readonly #name: string | undefined
  // Both by depth. Entries below the current depth are left over from earlier branches.
  readonly #steps: Step[] = []
  readonly #holders: object[] = []
  #nodes = 0
  #size = 0
  #json = true

  /** @param name - what the value is called, for the paths in messages */
  constructor(limits: ValueLimits, name: string | undefined) {
    this.#limits = limits
    this.#name = name
  }

  /**
   * True if JSON alone holds the value, false if it needs tags.
   *
   * @throws SessionError `ERR_SESSION_VALUE` or `ERR_SESSION_TOO_LARGE`, with the path
   */
  isJson(value: unknown): boolean {
    if (value === undefined) throw this.#refusal(0, 'is undefined', 'Use delete to remove a value.')
    this.#visit(value, 0)
    return this.#json
  }

  #visit(value: unknown, depth: number): void {
    if (++this.#nodes > this.#limits.nodes) throw this.#tooManyNodes(depth)
    switch (typeof value) {
      case 'string':
        return this.#text(value, depth, 'is')
      case 'number':
        return this.#number(value, depth)
      case 'bigint':
        return this.#bigint(value, depth)
      case 'boolean':
        return
      case 'undefined':
        this.#json = false
        return
      case 'object':
        return value === null ? undefined : this.#thing(value, depth)
      case 'function':
      case 'symbol':
        throw this.#refusal(depth, `is a ${typeof value}`, 'Store plain data instead.')
    }
  }

  #text(text: string, depth: number, verb: 'is' | 'has a name that is'): void {
    this.#grow(text.length, depth)
    if (text.isWellFormed()) return
    const advice = 'Repair it with toWellFormed(), or store bytes as a Uint8Array.'
    throw this.#refusal(depth, `${verb} text with half of a surrogate pair`, advice)
  }

  #number(value: number, depth: number): void {
    if (!Number.isFinite(value)) {
      throw this.#refusal(depth, `is ${value}`, 'Store a finite number, or null for no number.')
    }
    if (Object.is(value, -0)) this.#json = false
  }

  #bigint(value: bigint, depth: number): void {
    this.#json = false
    if (value >= TOO_MANY_DIGITS || value <= -TOO_MANY_DIGITS) {
      throw this.#tooLarge(depth, `has more than ${MOST_DIGITS} digits`)
    }
    this.#grow(value.toString(16).length, depth)
  }

  #thing(value: object, depth: number): void {
    if (types.isProxy(value)) {
      throw this.#refusal(depth, 'is a Proxy', 'Store a plain copy of what it shows.')
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (Array.isArray(value) && prototype === Array.prototype) return this.#array(value, depth)
    if (isPlain(value, prototype)) return this.#object(value, depth)
    this.#json = false
    if (types.isDate(value) && prototype === Date.prototype) return this.#date(value, depth)
    if (types.isMap(value) && prototype === Map.prototype) return this.#map(value, depth)
    if (types.isSet(value) && prototype === Set.prototype) return this.#set(value, depth)
    if (types.isUint8Array(value) && isBytes(prototype)) return this.#grow(value.length, depth)
    throw this.#foreign(prototype, depth)
  }

  #array(array: readonly unknown[], depth: number): void {
    this.#enter(array, depth)
    if (Object.keys(array).length !== array.length) throw this.#oddArray(array, depth)
    for (let index = 0; index < array.length; index++) {
      this.#steps[depth] = index
      const item = array[index]
      if (item === undefined && !Object.hasOwn(array, index)) throw this.#oddArray(array, depth)
      this.#visit(item, depth + 1)
    }
  }

  #object(object: object, depth: number): void {
    this.#enter(object, depth)
    for (const name of Object.keys(object)) {
      this.#steps[depth] = name
      this.#text(name, depth + 1, 'has a name that is')
      const property = Object.getOwnPropertyDescriptor(object, name)
      if (name === '__proto__' || property?.get !== undefined || property?.set !== undefined) {
        throw this.#oddProperty(name, depth + 1)
      }
      this.#visit(property?.value, depth + 1)
    }
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#enter(map, depth)
    this.#refuseOwnProperties(map, depth)
    let index = 0
    for (const [key, value] of map) {
      this.#steps[depth] = { part: 'keys', index }
      this.#visit(key, depth + 1)
      this.#steps[depth] = { part: 'values', index }
      this.#visit(value, depth + 1)
      index++
    }
  }

  #set(set: ReadonlySet<unknown>, depth: number): void {
    this.#enter(set, depth)
    this.#refuseOwnProperties(set, depth)
    let index = 0
    for (const value of set) {
      this.#steps[depth] = { part: 'values', index: index++ }
      this.#visit(value, depth + 1)
    }
  }

  #date(date: Date, depth: number): void {
    this.#refuseOwnProperties(date, depth)
    if (!Number.isNaN(date.getTime())) return
    throw this.#refusal(depth, 'is an invalid Date', 'Store a valid one, or null for no date.')
  }

  #enter(holder: object, depth: number): void {
    this.#holders[depth] = holder
    if (depth >= this.#limits.depth) throw this.#tooDeep(depth)
    if (Object.getOwnPropertySymbols(holder).length > 0) {
      throw this.#refusal(depth, 'has a symbol for a key', 'Use text for keys.')
    }
  }

  #refuseOwnProperties(value: object, depth: number): void {
    if (Reflect.ownKeys(value).length === 0) return
    throw this.#refusal(depth, 'has properties besides its content', 'Store them separately.')
  }

  // A lower bound of the encoded size: stops before text is made that would be refused anyway.
  #grow(by: number, depth: number): void {
    this.#size += by
    if (this.#size > this.#limits.bytes) throw sizeError(this.#path(depth), this.#limits.bytes)
  }

  #oddArray(array: readonly unknown[], depth: number): SessionError {
    let hole = 0
    while (hole < array.length && Object.hasOwn(array, hole)) hole++
    if (hole === array.length) {
      return this.#refusal(depth, 'is an array with named properties', 'Store them separately.')
    }
    this.#steps[depth] = hole
    return this.#refusal(depth + 1, 'is a hole in an array', 'Fill it with undefined or null.')
  }

  #oddProperty(name: string, depth: number): SessionError {
    return name === '__proto__'
      ? this.#refusal(depth, 'has a name that could change a prototype', 'Use another name.')
      : this.#refusal(depth, 'is a getter or setter', 'Store the value that it gives.')
  }

  #foreign(prototype: unknown, depth: number): SessionError {
    const { reason, advice } = describeForeign(prototype)
    return this.#refusal(depth, reason, advice)
  }

  #tooDeep(depth: number): SessionError {
    const cycle = this.#cycle(depth + 1)
    return cycle ?? this.#tooLarge(depth, `is nested deeper than ${this.#limits.depth} levels`)
  }

  #tooManyNodes(depth: number): SessionError {
    const cycle = this.#cycle(depth)
    return (
      cycle ??
      this.#tooLarge(depth, `comes after ${this.#limits.nodes} values, the most there may be`)
    )
  }

  // Only looked for when a limit is met: every cycle meets one.
  #cycle(depth: number): SessionError | undefined {
    const holders = this.#holders.slice(0, depth)
    const end = holders.findIndex((holder, index) => holders.indexOf(holder) < index)
    const start = holders.findIndex((holder) => holder === holders[end])
    if (end === -1) return undefined
    const reason = `is a cycle: it leads back to ${this.#path(start)}`
    return this.#refusal(end, reason, 'Store a tree; let parts refer to each other by a key.')
  }

  #refusal(depth: number, reason: string, advice: string): SessionError {
    const message = `A session cannot store this: ${this.#path(depth)} ${reason}. ${advice}`
    return new SessionError('ERR_SESSION_VALUE', message)
  }

  #tooLarge(depth: number, reason: string): SessionError {
    const advice = 'Keep large data elsewhere and its key in the session.'
    const message = `This is too large for a session: ${this.#path(depth)} ${reason}. ${advice}`
    return new SessionError('ERR_SESSION_TOO_LARGE', message)
  }

  #path(depth: number): string {
    const steps = this.#steps.slice(0, depth)
    return formatPath(this.#name === undefined ? steps : [this.#name, ...steps])
  }
}

/** The error for a value that needs more than `bytes`, of which `path` did not fit any more. */
export function sizeError(path: string, bytes: number): SessionError {
  const reason = `with ${path} it needs more than the ${bytes} bytes of limits.valueBytes`
  const advice = 'Keep large data elsewhere and its key in the session, or raise the limit.'
  return new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `This is too large for a session: ${reason}. ${advice}`,
  )
}

function isPlain(value: object, prototype: unknown): boolean {
  return (prototype === Object.prototype || prototype === null) && !Array.isArray(value)
}

// A Buffer is read as bytes and comes back as a Uint8Array.
function isBytes(prototype: unknown): boolean {
  return prototype === Uint8Array.prototype || prototype === Buffer.prototype
}
