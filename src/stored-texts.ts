/**
 * The stored texts of one session, as this request knows them: those that were loaded, and on top what
 * it has stored or removed since. What was loaded is never copied, so that a store may look a text up
 * only when it is asked for.
 */
export class StoredTexts {
  #loaded: ReadonlyMap<string, string>
  /** By name; undefined: removed. */
  #since: Map<string, string | undefined> | undefined

  constructor(loaded: ReadonlyMap<string, string>) {
    this.#loaded = loaded
  }

  get(name: string): string | undefined {
    if (this.#since?.has(name) === true) return this.#since.get(name)
    return this.#loaded.get(name)
  }

  *names(): IterableIterator<string> {
    for (const name of this.#loaded.keys()) if (this.get(name) !== undefined) yield name
    for (const [name, text] of this.#since ?? NONE) {
      if (text !== undefined && !this.#loaded.has(name)) yield name
    }
  }

  /** At least as many characters as all texts have together, as far as that is known without looking. */
  get mostCharacters(): number {
    const { characters } = this.#loaded as { readonly characters?: number }
    return this.#since === undefined && characters !== undefined ? characters : Infinity
  }

  set(name: string, text: string | undefined): void {
    this.#since ??= new Map()
    this.#since.set(name, text)
  }

  clear(): void {
    this.#loaded = NONE
    this.#since = undefined
  }
}

const NONE: ReadonlyMap<string, string> = new Map()
