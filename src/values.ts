import { decode, encode } from './codec.ts'
import { SessionError } from './errors.ts'
import { isNotification } from './notifications.ts'

/** What a request did to the values of its session. */
export interface ValueChanges {
  readonly clear: boolean
  readonly set: ReadonlyMap<string, string>
  readonly unset: readonly string[]
  readonly add: ReadonlyMap<string, number>
}

/** How much a session may hold. */
interface ValueBounds {
  readonly valueBytes: number
  readonly names: number
  readonly sessionSize: number
}

const LONGEST_NAME = 1024
const NO_ADDITIONS: ReadonlyMap<string, number> = new Map()
// A stored value that was only read is compared whatever its size: the limits may have been lowered.
const UNBOUNDED = { bytes: Number.POSITIVE_INFINITY }

/**
 * The values of one session during one request: what was stored, as text that is decoded when it is
 * first read, and what the request made of it. The changes are derived at the end by comparing
 * encoded text, so a value that was changed in place is seen and an unchanged one is not written.
 */
export class Values {
  readonly #bounds: ValueBounds
  readonly #onCorrupt: (name: string) => void
  #stored: Map<string, string>
  /** Values that were read or written in this request. */
  readonly #live = new Map<string, unknown>()
  readonly #written = new Set<string>()
  readonly #removed = new Set<string>()
  readonly #added = new Map<string, number>()
  #cleared = false
  /** Counts calls that change something, to see whether any came while a commit was under way. */
  #revision = 0
  #clearedAt = 0
  #taken: { readonly changes: ValueChanges; readonly revision: number } | undefined

  constructor(
    stored: ReadonlyMap<string, string>,
    bounds: ValueBounds,
    onCorrupt: (name: string) => void,
  ) {
    this.#stored = new Map(stored)
    this.#bounds = bounds
    this.#onCorrupt = onCorrupt
  }

  /** The text of a value, within the bounds. */
  encode(name: string, value: unknown): string {
    return encode(value, { bytes: this.#bounds.valueBytes }, shownName(name))
  }

  get(name: string): unknown {
    if (this.#live.has(name)) return this.#live.get(name)
    const text = this.#present(name)
    return text === undefined ? undefined : this.#read(name, text)
  }

  has(name: string): boolean {
    return this.#live.has(name) || this.#present(name) !== undefined
  }

  /** @throws SessionError for a name or a value that cannot be stored; nothing is changed then */
  set(name: string, value: unknown): void {
    checkName(name)
    this.encode(name, value)
    this.#write(name, value)
  }

  delete(name: string): boolean {
    const had = this.has(name)
    this.#revision++
    this.#forget(name)
    if (had) this.#removed.add(name)
    return had
  }

  clear(): void {
    for (const name of [...this.#live.keys()]) this.#forget(name)
    this.#removed.clear()
    this.#cleared = true
    this.#clearedAt = ++this.#revision
  }

  *names(): IterableIterator<string> {
    for (const name of this.#stored.keys()) if (this.#present(name) !== undefined) yield name
    for (const name of this.#live.keys()) if (this.#baseline(name) === undefined) yield name
  }

  /** Adds to a number in the store; the answer is what this request sees. */
  increment(name: string, by: number): number {
    checkName(name)
    const sum = this.#number(name) + integer(by)
    if (!Number.isSafeInteger(sum)) throw notANumber(name)
    if (this.#cleared || this.#written.has(name) || this.#removed.has(name)) this.#write(name, sum)
    else this.#added.set(name, (this.#added.get(name) ?? 0) + by)
    this.#live.set(name, sum)
    this.#revision++
    return sum
  }

  /** The stored text, if this request has not changed the value itself; else `changed`. */
  storedText(name: string): { readonly text: string | undefined } | 'changed' {
    return this.#isChanged(name) ? 'changed' : { text: this.#stored.get(name) }
  }

  /** Takes over what the store holds now, because this request wrote or removed it there. */
  adopt(name: string, text: string | undefined): void {
    this.#forget(name)
    if (text === undefined) this.#stored.delete(name)
    else this.#stored.set(name, text)
  }

  /** @throws SessionError if a value that was changed in place cannot be stored */
  changes(): ValueChanges {
    const set = new Map<string, string>()
    for (const [name, value] of this.#live) {
      const text = this.#changedText(name, value)
      if (text !== undefined) set.set(name, text)
    }
    const unset = [...this.#removed].filter((name) => this.#baseline(name) !== undefined)
    this.#checkSize(set)
    const changes = { clear: this.#cleared, set, unset, add: this.#additions() }
    this.#taken = { changes, revision: this.#revision }
    return changes
  }

  /**
   * The changes were stored: from now on they are what later changes are compared with. What was done
   * since they were taken is still to be stored.
   */
  settle(changes: ValueChanges, added: ReadonlyMap<string, number>): void {
    if (changes.clear) this.#stored = new Map()
    for (const name of changes.unset) this.#stored.delete(name)
    for (const [name, text] of changes.set) this.#stored.set(name, text)
    for (const [name, sum] of added) this.#stored.set(name, `${sum}`)
    const { revision } = this.#taken?.changes === changes ? this.#taken : { revision: -1 }
    if (revision === this.#revision) this.#written.clear()
    if (revision === this.#revision) this.#removed.clear()
    if (revision >= this.#clearedAt) this.#cleared = false
    for (const name of changes.unset) this.#removed.delete(name)
    for (const [name, by] of changes.add) this.#settleNumber(name, by, added.get(name))
  }

  #additions(): ReadonlyMap<string, number> {
    return this.#added.size === 0 ? NO_ADDITIONS : new Map(this.#added)
  }

  #settleNumber(name: string, by: number, sum: number | undefined): void {
    const all = this.#added.get(name)
    if (all === undefined) return
    const rest = all - by
    if (rest === 0) this.#added.delete(name)
    else this.#added.set(name, rest)
    if (sum !== undefined) this.#live.set(name, sum + rest)
  }

  #isChanged(name: string): boolean {
    if (this.#cleared || this.#removed.has(name) || this.#added.has(name)) return true
    return this.#live.has(name) && this.#changedText(name, this.#live.get(name)) !== undefined
  }

  #baseline(name: string): string | undefined {
    return this.#cleared ? undefined : this.#stored.get(name)
  }

  #present(name: string): string | undefined {
    return this.#removed.has(name) ? undefined : this.#baseline(name)
  }

  #read(name: string, text: string): unknown {
    try {
      const value = decode(text)
      this.#live.set(name, value)
      return value
    } catch {
      this.#onCorrupt(name)
      return undefined
    }
  }

  #write(name: string, value: unknown): void {
    this.#revision++
    this.#forget(name)
    this.#live.set(name, value)
    this.#written.add(name)
  }

  #forget(name: string): void {
    this.#live.delete(name)
    this.#written.delete(name)
    this.#removed.delete(name)
    this.#added.delete(name)
  }

  #number(name: string): number {
    const value = this.has(name) ? this.get(name) : 0
    const negativeZero = Object.is(value, -0)
    if (typeof value === 'number' && Number.isSafeInteger(value) && !negativeZero) return value
    throw notANumber(name)
  }

  // A primitive that was only read cannot have changed.
  #changedText(name: string, value: unknown): string | undefined {
    if (this.#added.has(name)) return undefined
    if (!this.#written.has(name) && (typeof value !== 'object' || value === null)) return undefined
    const text = encode(value, UNBOUNDED, shownName(name))
    return text === this.#baseline(name) ? undefined : this.encode(name, value)
  }

  #checkSize(set: ReadonlyMap<string, string>): void {
    if (set.size === 0) return
    const after = new Map([...(this.#cleared ? [] : this.#stored), ...set])
    let size = 0
    for (const text of after.values()) size += text.length
    const { names, sessionSize } = this.#bounds
    if (after.size > names) throw tooLarge(`${after.size} names`, `limits.names is ${names}`)
    if (size > sessionSize)
      throw tooLarge(`${size} characters`, `limits.sessionSize is ${sessionSize}`)
  }
}

function shownName(name: string): string {
  return isNotification(name) ? name.slice(1) : name
}

function checkName(name: unknown): asserts name is string {
  const problem = problemOf(name)
  if (problem === undefined) return
  throw new SessionError(
    'ERR_SESSION_NAME',
    `The name of a session value ${problem}. Use another name.`,
  )
}

function problemOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return `must be text, not a ${typeof name}`
  if (name.includes('\0')) return 'must not hold U+0000'
  if (!name.isWellFormed()) return 'must not hold half of a surrogate pair'
  return Buffer.byteLength(name) > LONGEST_NAME
    ? `must have at most ${LONGEST_NAME} bytes`
    : undefined
}

function integer(by: number): number {
  if (Number.isSafeInteger(by)) return by
  throw new SessionError('ERR_SESSION_NOT_A_NUMBER', 'increment takes a safe integer to add.')
}

function notANumber(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_NOT_A_NUMBER',
    `increment('${name}') needs a safe integer there. Set a whole number first, or use another name.`,
  )
}

function tooLarge(what: string, limit: string): SessionError {
  return new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `The session would hold ${what}; ${limit}. Keep large data elsewhere and its key in the session, or raise the limit.`,
  )
}
