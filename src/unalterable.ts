import type { SessionRecord } from './store.ts'

/** A copy that nobody can change: it can be handed out to any number of callers. */
export function unalterable(record: SessionRecord): SessionRecord {
  const { client, values } = record
  const texts = values instanceof Texts ? values : new Texts(new Map(values))
  const copy = { ...record, values: texts }
  if (client !== undefined) copy.client = Object.freeze({ ...client })
  return Object.freeze(copy)
}

/** Likewise, of a record that nobody else has: its parts are not copied. */
export function sealed(record: SessionRecord): SessionRecord {
  if (record.client !== undefined) Object.freeze(record.client)
  return Object.freeze({ ...record, values: new Texts(record.values) })
}

/** A map without the methods that would change it. */
class Texts implements ReadonlyMap<string, string> {
  readonly #map: ReadonlyMap<string, string>

  /** @param map - which nobody else has */
  constructor(map: ReadonlyMap<string, string>) {
    this.#map = map
  }

  get size(): number {
    return this.#map.size
  }

  get(name: string): string | undefined {
    return this.#map.get(name)
  }

  has(name: string): boolean {
    return this.#map.has(name)
  }

  keys(): MapIterator<string> {
    return this.#map.keys()
  }

  values(): MapIterator<string> {
    return this.#map.values()
  }

  entries(): MapIterator<[string, string]> {
    return this.#map.entries()
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.#map.entries()
  }

  forEach(
    visit: (text: string, name: string, texts: ReadonlyMap<string, string>) => void,
    self?: unknown,
  ): void {
    for (const [name, text] of this.#map) visit.call(self, text, name, this)
  }
}
