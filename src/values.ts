import { decode, encode } from './codec.ts'
import { isNotification } from './notifications.ts'
import { StoredTexts } from './stored-texts.ts'
import { checkName, integer, notANumber, tooLarge } from './value-checks.ts'

/** What a request did to the values of its session. */
export interface ValueChanges {
  readonly clear: boolean
  readonly set: ReadonlyMap<string, string>
  readonly unset: readonly string[]
  readonly add: ReadonlyMap<string, number>
  /** What they were derived from. */
  readonly from: Basis
}

interface Basis {
  readonly touched: ReadonlyMap<string, Touched>
  readonly cleared: number
}

/** How much a session may hold. */
interface ValueBounds {
  readonly valueBytes: number
  readonly names: number
  readonly sessionSize: number
}

// A stored value that was only read is compared whatever its size: the limits may have been lowered.
const UNBOUNDED = { bytes: Number.POSITIVE_INFINITY }

/** What this request did with one value. `text` of a written one is known if it cannot change any more. */
type Touched =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'written'; readonly value: unknown; readonly text: string | undefined }
  | { readonly kind: 'added'; readonly value: number; readonly by: number }
  | { readonly kind: 'removed'; readonly value: undefined }

const REMOVED: Touched = { kind: 'removed', value: undefined }
const UNSTORED: ReadonlyMap<string, string> = new Map()
const UNTOUCHED: ReadonlyMap<string, Touched> = new Map()
const NOTHING: ValueChanges = {
  clear: false,
  set: new Map(),
  unset: [],
  add: new Map(),
  from: { touched: UNTOUCHED, cleared: 0 },
}

/**
 * The values of one session during one request: what was stored, as text that is decoded when it is
 * first read, and what the request made of it. The changes are derived at the end by comparing
 * encoded text, so a value that was changed in place is seen and an unchanged one is not written.
 */
export class Values {
  readonly #bounds: ValueBounds
  readonly #onCorrupt: (name: string) => void
  readonly #stored: StoredTexts
  #touched: Map<string, Touched> | undefined
  /** How often everything was cleared since that was last stored. */
  #cleared = 0
  /** Changes were derived from `#touched`: the map is not changed any more. */
  #shared = false

  constructor(
    stored: ReadonlyMap<string, string> | undefined,
    bounds: ValueBounds,
    onCorrupt: (name: string) => void,
  ) {
    this.#stored = new StoredTexts(stored ?? UNSTORED)
    this.#bounds = bounds
    this.#onCorrupt = onCorrupt
  }

  /** The text of a value, within the bounds. */
  encode(name: string, value: unknown): string {
    return encode(value, { bytes: this.#bounds.valueBytes }, shownName(name))
  }

  get(name: string): unknown {
    const touched = this.#touched?.get(name)
    if (touched !== undefined) return touched.value
    const text = this.#baseline(name)
    return text === undefined ? undefined : this.#read(name, text)
  }

  has(name: string): boolean {
    const touched = this.#touched?.get(name)
    if (touched !== undefined) return touched !== REMOVED
    return this.#baseline(name) !== undefined
  }

  /** @throws SessionError for a name or a value that cannot be stored; nothing is changed then */
  set(name: string, value: unknown): void {
    checkName(name)
    const text = this.encode(name, value)
    this.#touch(name, { kind: 'written', value, text: isPrimitive(value) ? text : undefined })
  }

  delete(name: string): boolean {
    const had = this.has(name)
    if (had) this.#touch(name, REMOVED)
    return had
  }

  clear(): void {
    this.#touched = undefined
    this.#cleared++
  }

  *names(): IterableIterator<string> {
    for (const name of this.#cleared > 0 ? [] : this.#stored.names()) if (this.has(name)) yield name
    for (const [name, touched] of this.#touched ?? UNTOUCHED) {
      if (touched !== REMOVED && this.#baseline(name) === undefined) yield name
    }
  }

  /** Adds to a number in the store; the answer is what this request sees. */
  increment(name: string, by: number): number {
    checkName(name)
    const sum = this.#number(name) + integer(by)
    if (!Number.isSafeInteger(sum)) throw notANumber(name)
    const before = this.#touched?.get(name)
    const known = this.#cleared > 0 || before?.kind === 'written' || before === REMOVED
    if (known) this.set(name, sum)
    else this.#touch(name, { kind: 'added', value: sum, by: addedBy(before) + by })
    return sum
  }

  /** The stored text, if this request has not changed the value itself; else `changed`. */
  storedText(name: string): { readonly text: string | undefined } | 'changed' {
    return this.#isChanged(name) ? 'changed' : { text: this.#stored.get(name) }
  }

  /** Takes over what the store holds now, because this request wrote or removed it there. */
  adopt(name: string, text: string | undefined): void {
    if (this.#touched?.has(name) === true) this.#own().delete(name)
    this.#stored.set(name, text)
  }

  /** @throws SessionError if a value that was changed in place cannot be stored */
  changes(): ValueChanges {
    if ((this.#touched?.size ?? 0) === 0 && this.#cleared === 0) return NOTHING
    const touched = this.#touched ?? UNTOUCHED
    this.#shared = true
    const set = new Map<string, string>()
    const unset: string[] = []
    const add = new Map<string, number>()
    for (const [name, one] of touched) {
      const text = this.#changedText(name, one)
      if (text !== undefined) set.set(name, text)
      else if (one.kind === 'added' && one.by !== 0) add.set(name, one.by)
      else if (one === REMOVED && this.#baseline(name) !== undefined) unset.push(name)
    }
    this.#checkSize(set)
    const from = { touched, cleared: this.#cleared }
    return { clear: this.#cleared > 0, set, unset, add, from }
  }

  /**
   * The changes were stored: from now on they are what later changes are compared with. What was done
   * since they were derived is still to be stored.
   */
  settle({ clear, set, unset, from }: ValueChanges, added: ReadonlyMap<string, number>): void {
    if (clear) this.#stored.clear()
    for (const name of unset) this.#stored.set(name, undefined)
    for (const [name, text] of set) this.#stored.set(name, text)
    for (const [name, sum] of added) this.#stored.set(name, `${sum}`)
    if (from.cleared === this.#cleared) this.#cleared = 0
    for (const [name, then] of from.touched) this.#settleOne(name, then, added.get(name))
  }

  #settleOne(name: string, then: Touched, sum: number | undefined): void {
    const now = this.#touched?.get(name)
    // What cannot change in place need not be looked at again.
    if (now === then && isPrimitive(now.value)) this.#own().delete(name)
    else if (now === then) this.#touch(name, { kind: 'read', value: now.value })
    if (now === then || now?.kind !== 'added' || then.kind !== 'added') return
    const by = now.by - then.by
    this.#touch(name, { kind: 'added', value: (sum ?? then.value) + by, by })
  }

  #isChanged(name: string): boolean {
    const touched = this.#touched?.get(name)
    if (this.#cleared > 0 || touched === REMOVED || touched?.kind === 'added') return true
    return touched !== undefined && this.#changedText(name, touched) !== undefined
  }

  #baseline(name: string): string | undefined {
    return this.#cleared > 0 ? undefined : this.#stored.get(name)
  }

  #read(name: string, text: string): unknown {
    try {
      const value = decode(text)
      // A primitive cannot be changed in place.
      if (!isPrimitive(value)) this.#touch(name, { kind: 'read', value })
      return value
    } catch {
      this.#onCorrupt(name)
      return undefined
    }
  }

  #touch(name: string, touched: Touched): void {
    this.#own().set(name, touched)
  }

  #own(): Map<string, Touched> {
    if (this.#touched === undefined || this.#shared) this.#touched = new Map(this.#touched)
    this.#shared = false
    return this.#touched
  }

  #number(name: string): number {
    const value = this.has(name) ? this.get(name) : 0
    const negativeZero = Object.is(value, -0)
    if (typeof value === 'number' && Number.isSafeInteger(value) && !negativeZero) return value
    throw notANumber(name)
  }

  // A primitive that was only read cannot have changed.
  #changedText(name: string, touched: Touched): string | undefined {
    if (touched.kind === 'added' || touched.kind === 'removed') return undefined
    if (touched.kind === 'read' && isPrimitive(touched.value)) return undefined
    const known = touched.kind === 'written' ? touched.text : undefined
    const text = known ?? encode(touched.value, UNBOUNDED, shownName(name))
    if (text === this.#baseline(name)) return undefined
    return known ?? this.#bounded(name, touched.value, text)
  }

  // One character has at most three bytes: most texts need not be measured.
  #bounded(name: string, value: unknown, text: string): string {
    return text.length * 3 <= this.#bounds.valueBytes ? text : this.encode(name, value)
  }

  #checkSize(set: ReadonlyMap<string, string>): void {
    if (set.size === 0 || this.#surelyFits(set)) return
    const after = new Map(set)
    for (const name of this.#cleared > 0 ? [] : this.#stored.names()) {
      if (!after.has(name)) after.set(name, this.#stored.get(name) ?? '')
    }
    let size = 0
    for (const text of after.values()) size += text.length
    const { names, sessionSize } = this.#bounds
    if (after.size > names) throw tooLarge(`${after.size} names`, `limits.names is ${names}`)
    if (size > sessionSize)
      throw tooLarge(`${size} characters`, `limits.sessionSize is ${sessionSize}`)
  }

  // Without looking at what is stored: no name is new, and even added to all of it the texts fit.
  #surelyFits(set: ReadonlyMap<string, string>): boolean {
    let size = this.#stored.mostCharacters
    for (const [name, text] of set) {
      if (this.#baseline(name) === undefined) return false
      size += text.length
    }
    return size <= this.#bounds.sessionSize
  }
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function addedBy(touched: Touched | undefined): number {
  return touched?.kind === 'added' ? touched.by : 0
}

function shownName(name: string): string {
  return isNotification(name) ? name.slice(1) : name
}
