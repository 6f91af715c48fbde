/**
 * Looks at an LMDB file before LMDB does. LMDB trusts its file: bytes that are not its own, or a page
 * beyond the end of the file, end the whole process with a signal, and a page that was overwritten
 * can hide sessions without a word.
 *
 * The layout is that of LMDB's data version 2 on little-endian machines with 64 bits.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'
import { arch } from 'node:process'
import type { BigValue, Step, Tree } from './page.ts'
import {
  Damage,
  FLAGS_AT,
  HEADER,
  META,
  NO_ROOT,
  numberAt,
  OVERFLOW,
  treeAt,
  TreePage,
  unexpected,
} from './page.ts'

/** What was found: `sound`, `absent` (LMDB will begin a new file), or what is wrong with it. */
export type DataFileState =
  | 'sound'
  | 'absent'
  | { readonly damage: string; readonly snapshot: number }

interface Snapshot {
  readonly transaction: number
  readonly trees: readonly Tree[]
}

const MAGIC = 0xbe_ef_c0_de
const DATA_VERSION = 2
// 200 MB, read in less than a second. A file may be larger; the rest is not looked at.
const MOST_PAGES = 50_000

/**
 * The state of the file. It is opened for writing, so that a file that cannot be written fails here,
 * and nothing is written.
 *
 * @throws what `node:fs` throws, such as `EACCES` or `EROFS`
 */
export function inspectDataFile(path: string): DataFileState {
  let file: number
  try {
    file = openSync(path, 'r+')
  } catch (error) {
    if (isMissing(error)) return 'absent'
    throw error
  }
  try {
    return new Inspection(file).state()
  } finally {
    closeSync(file)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

class Inspection {
  readonly #file: number
  readonly #size: number
  readonly #seen = new Set<number>()
  #pageSize = 4096
  #snapshot = 0

  constructor(file: number) {
    this.#file = file
    this.#size = fstatSync(file).size
  }

  state(): DataFileState {
    if (this.#size === 0) return 'absent'
    try {
      this.#check()
      return 'sound'
    } catch (error) {
      if (error instanceof Damage) return { damage: error.message, snapshot: this.#snapshot }
      throw error
    }
  }

  #check(): void {
    const first = this.#meta(0)
    const newest = [first, this.#meta(1)].reduce((one, other) =>
      other.transaction > one.transaction ? other : one,
    )
    this.#snapshot = newest.transaction
    if (!isKnownLayout()) return
    const trees = [...newest.trees]
    for (let tree = trees.shift(); tree !== undefined; tree = trees.shift()) {
      trees.push(...this.#walk(tree))
    }
  }

  #meta(index: number): Snapshot {
    const bytes = this.#read(index * this.#pageSize, 256)
    if ((bytes.readUInt16LE(FLAGS_AT) & META) === 0 || bytes.readUInt32LE(HEADER) !== MAGIC) {
      throw new Damage('it does not begin as an LMDB file does')
    }
    const version = bytes.readUInt32LE(28) & 0xff_ff
    if (version !== DATA_VERSION) throw new Damage(`it has LMDB data format ${version}`)
    this.#pageSize = bytes.readUInt32LE(48)
    if (!isPageSize(this.#pageSize)) throw new Damage('its page size is impossible')
    const trees = [treeAt(bytes, 48), treeAt(bytes, 96)]
    return { transaction: numberAt(bytes, 152), trees }
  }

  /** Looks at every page of a tree and returns the trees inside. */
  #walk({ root, depth, entries, ordered }: Tree): readonly Tree[] {
    const inner: Tree[] = []
    const first = { page: root, depth, from: undefined, below: undefined }
    const steps: Step[] = root === NO_ROOT ? [] : [first]
    let found = 0
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (this.#seen.size >= MOST_PAGES) return []
      const page = new TreePage(step, this.#page(step.page), ordered)
      if (step.depth > 1) steps.push(...page.children(step))
      else inner.push(...this.#leaf(page))
      if (step.depth === 1) found += page.size
    }
    if (found !== entries) throw new Damage(`it holds ${found} of ${entries} entries`)
    return inner
  }

  #page(page: number): Buffer {
    if (this.#seen.has(page)) throw unexpected(page)
    this.#seen.add(page)
    return this.#read(page * this.#pageSize, this.#pageSize)
  }

  #leaf(page: TreePage): readonly Tree[] {
    const { trees, bigValues } = page.contents()
    for (const value of bigValues) this.#bigValue(value)
    return trees
  }

  #bigValue({ page, pages, length }: BigValue): void {
    const header = this.#read(page * this.#pageSize, HEADER)
    const end = (page + pages) * this.#pageSize
    const whole = end <= this.#size && HEADER + length <= pages * this.#pageSize
    const flags = header.readUInt16LE(FLAGS_AT)
    if (!whole || numberAt(header, 0) !== page || (flags & OVERFLOW) === 0) throw unexpected(page)
  }

  #read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    const whole =
      position + length <= this.#size && readSync(this.#file, bytes, 0, length, position)
    if (whole !== length) throw new Damage('it ends too early')
    return bytes
  }
}

function isPageSize(size: number): boolean {
  return size >= 256 && size <= 65_536 && (size & (size - 1)) === 0
}

function isKnownLayout(): boolean {
  return endianness() === 'LE' && ['x64', 'arm64', 'riscv64', 'loong64'].includes(arch)
}
