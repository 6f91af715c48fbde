import { corrupt } from './failures.ts'

// Searching the text for one name is cheaper than building a map, until it was done a few times.
const SEARCHES = 4

/** Makes text of a part of a record that was read as bytes. */
export type Decode = (part: string) => string

/** The text of bytes in UTF-8 that are held as one character each. */
export function fromBytes(part: string): string {
  return Buffer.from(part, 'latin1').toString('utf8')
}

/**
 * The values of a packed record, as a map that is built only when it pays. Reading it throws
 * `ERR_SESSION_CORRUPT` where the text turns out to be damaged.
 */
export class PackedValues implements ReadonlyMap<string, string> {
  readonly #text: string
  readonly #from: number
  readonly #decode: Decode | undefined
  #searched = 0
  #map: Map<string, string> | undefined

  /**
   * @param text - the record, or its bytes as one character each
   * @param from - where the values begin, after the U+0000 before them
   * @param decode - what makes text of bytes, if it is bytes
   */
  constructor(text: string, from: number, decode?: Decode) {
    this.#text = text
    this.#from = from
    this.#decode = decode
  }

  /** At least as many as the texts of all values have together; found out without looking at them. */
  get characters(): number {
    return this.#text.length - this.#from
  }

  get size(): number {
    return this.#built().size
  }

  get(name: string): string | undefined {
    if (this.#map !== undefined || ++this.#searched > SEARCHES) return this.#built().get(name)
    return this.#search(name)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  keys(): MapIterator<string> {
    return this.#built().keys()
  }

  values(): MapIterator<string> {
    return this.#built().values()
  }

  entries(): MapIterator<[string, string]> {
    return this.#built().entries()
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.#built().entries()
  }

  forEach(
    visit: (text: string, name: string, values: ReadonlyMap<string, string>) => void,
    self?: unknown,
  ): void {
    for (const [name, text] of this.#built()) visit.call(self, text, name, this)
  }

  #built(): Map<string, string> {
    this.#map ??= this.#build()
    return this.#map
  }

  #build(): Map<string, string> {
    const map = new Map<string, string>()
    const text = this.#text
    for (let at = this.#from; at < text.length;) {
      const middle = text.indexOf('\0', at)
      const start = middle + 2
      if (text.charCodeAt(at) !== 1 || text.charCodeAt(middle + 1) !== 2) throw corrupt()
      const end = endOf(text, start)
      map.set(this.#slice(at + 1, middle), this.#slice(start, end))
      at = end + 1
    }
    return map
  }

  // The needle begins with the rarest character of a text, which makes the search fast.
  #search(name: string): string | undefined {
    const text = this.#text
    const needle = `\u0001${this.#decode === undefined ? name : toBytes(name)}\0\u0002`
    let at = text.indexOf(needle, this.#from)
    while (at > 0 && text.charCodeAt(at - 1) !== 0) at = text.indexOf(needle, at + 1)
    if (at < 0) return undefined
    const start = at + needle.length
    return this.#slice(start, endOf(text, start))
  }

  #slice(start: number, end: number): string {
    const part = this.#text.slice(start, end)
    return this.#decode === undefined ? part : this.#decode(part)
  }
}

function toBytes(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1')
}

// To look for U+0000 is slow in text beyond U+00FF: the next value begins with U+0001 after it.
function endOf(text: string, start: number): number {
  let next = text.indexOf('\u0001', start)
  while (next > 0 && text.charCodeAt(next - 1) !== 0) next = text.indexOf('\u0001', next + 1)
  return (next < 0 ? text.length : next) - 1
}
