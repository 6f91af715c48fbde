import { corrupt } from './failures.ts'

// Searching the text for one name is cheaper than building a map, until it was done a few times.
const SEARCHES = 4

/**
 * The values of a packed record, as a map that is built only when it pays. Reading it throws
 * `ERR_SESSION_CORRUPT` where the text turns out to be damaged.
 */
export class PackedValues implements ReadonlyMap<string, string> {
  readonly #text: string
  readonly #from: number
  #searched = 0
  #map: Map<string, string> | undefined

  /** @param from - where the values begin in `text`, after the U+0000 before them */
  constructor(text: string, from: number) {
    this.#text = text
    this.#from = from
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
      map.set(text.slice(at + 1, middle), text.slice(start, end))
      at = end + 1
    }
    return map
  }

  // The needle begins with the rarest character of a text, which makes the search fast.
  #search(name: string): string | undefined {
    const text = this.#text
    const needle = `\u0001${name}\0\u0002`
    let at = text.indexOf(needle, this.#from)
    while (at > 0 && text.charCodeAt(at - 1) !== 0) at = text.indexOf(needle, at + 1)
    if (at < 0) return undefined
    const start = at + needle.length
    return text.slice(start, endOf(text, start))
  }
}

// To look for U+0000 is slow in text beyond U+00FF: the next value begins with U+0001 after it.
function endOf(text: string, start: number): number {
  let next = text.indexOf('\u0001', start)
  while (next > 0 && text.charCodeAt(next - 1) !== 0) next = text.indexOf('\u0001', next + 1)
  return (next < 0 ? text.length : next) - 1
}
