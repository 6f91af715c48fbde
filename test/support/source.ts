import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** One `import`, `export … from` or `import()` of a file. */
export interface SourceImport {
  /** As it is written: `./store.ts`, `node:fs`, `lmdb`. */
  readonly specifier: string
  /** For a file of ours its path from the root: `src/store.ts`. */
  readonly path: string | undefined
  readonly kind: 'import' | 're-export' | 'dynamic'
  /** Gone at run time: `import type`, `export type`. */
  readonly typeOnly: boolean
}

/** A source file, read without a compiler. */
export interface Source {
  /** From the root, with `/`. */
  readonly path: string
  readonly text: string
  /** The text with blanks for comments and for what is inside of strings, templates and regular expressions. */
  readonly code: string
  readonly imports: readonly SourceImport[]
}

/** Every TypeScript and JavaScript file of these folders. */
export function sourcesIn(...folders: string[]): Source[] {
  return folders.flatMap(filesIn).map(readSource)
}

function filesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|mjs|cjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !/(^|\/)(node_modules|fixtures|dist|build|\.[^/]+)\//.test(path))
    .toSorted()
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const code = blank(text)
  return { path, text, code, imports: importsOf(path, text, code) }
}

const FROM = /\b(import|export)\s+(type\s+)?[\w$\s{},*]+?\sfrom\s*(?=['"])/g
const BARE_IMPORT = /\bimport\s*(?=['"])/g
const DYNAMIC = /\bimport\s*\(\s*(?=['"])/g

function importsOf(path: string, text: string, code: string): SourceImport[] {
  const found: SourceImport[] = []
  const add = (kind: SourceImport['kind'], end: number, typeOnly = false): void => {
    const specifier = text.slice(end + 1, code.indexOf(text.charAt(end), end + 1))
    found.push({ specifier, path: resolve(path, specifier), kind, typeOnly })
  }
  for (const match of code.matchAll(FROM)) {
    const [all, keyword, type] = match
    add(keyword === 'export' ? 're-export' : 'import', match.index + all.length, type !== undefined)
  }
  for (const match of code.matchAll(BARE_IMPORT)) add('import', match.index + match[0].length)
  for (const match of code.matchAll(DYNAMIC)) add('dynamic', match.index + match[0].length)
  return found
}

function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : undefined
}

/** Blanks what is not code. Line breaks and the quotes themselves stay, so that positions are kept. */
export function blank(text: string): string {
  return new Blanker(text).run()
}

const REGEXP_MAY_FOLLOW =
  /(^|[(,=:[!&|?{};+\-*%~^<>]|\b(return|typeof|case|in|of|await|yield|void))\s*$/

class Blanker {
  readonly #text: string
  #output = ''
  #position = 0
  /** For every template that is open: how many braces are open inside of its `${`. */
  readonly #templates: number[] = []

  constructor(text: string) {
    this.#text = text
  }

  run(): string {
    while (this.#position < this.#text.length) this.#step()
    return this.#output
  }

  #step(): void {
    const two = this.#text.slice(this.#position, this.#position + 2)
    const one = two.charAt(0)
    if (two === '//') this.#hide(/\n|$/g)
    else if (two === '/*') this.#hide(/\*\//g)
    else if (one === "'" || one === '"') this.#string(one)
    else if (one === '`') this.#template()
    else if (one === '/' && REGEXP_MAY_FOLLOW.test(this.#output.slice(-40))) this.#regexp()
    else if (one === '{' || one === '}') this.#brace(one)
    else this.#keep(1)
  }

  #keep(length: number): void {
    this.#output += this.#text.slice(this.#position, this.#position + length)
    this.#position += length
  }

  /** Blanks up to the end of the next match. */
  #hide(end: RegExp): void {
    end.lastIndex = this.#position
    const match = end.exec(this.#text)
    const stop = match === null ? this.#text.length : match.index + match[0].length
    this.#output += this.#text.slice(this.#position, stop).replace(/[^\n]/g, ' ')
    this.#position = stop
  }

  #string(quote: string): void {
    this.#keep(1)
    this.#hide(quote === "'" ? /(?:[^\\'\n]|\\[^])*/y : /(?:[^\\"\n]|\\[^])*/y)
    this.#keep(1)
  }

  #regexp(): void {
    this.#keep(1)
    this.#hide(/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])*/y)
    this.#keep(1)
  }

  #template(): void {
    this.#keep(1)
    this.#templateText()
  }

  #templateText(): void {
    this.#hide(/(?:[^\\`$]|\\[^]|\$(?!\{))*/y)
    if (this.#text.charAt(this.#position) === '`') return this.#keep(1)
    this.#keep(2)
    this.#templates.push(0)
  }

  #brace(brace: '{' | '}'): void {
    const open = this.#templates.at(-1)
    this.#keep(1)
    if (open === undefined) return
    if (brace === '}' && open === 0) {
      this.#templates.pop()
      return this.#templateText()
    }
    this.#templates[this.#templates.length - 1] = open + (brace === '{' ? 1 : -1)
  }
}
