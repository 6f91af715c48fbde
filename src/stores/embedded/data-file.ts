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

/** What was found: `sound`, `absent` (LMDB will begin a new file), or what is wrong with it. */
export type DataFileState =
  | 'sound'
  | 'absent'
  | { readonly damage: string; readonly snapshot: number }

interface Tree {
  readonly root: number
  readonly depth: number
  readonly entries: number
}

interface Snapshot {
  readonly transaction: number
  readonly trees: readonly Tree[]
}

/** A page still to look at; the leaves are at depth 1. */
interface Step {
  readonly page: number
  readonly depth: number
}

const MAGIC = 0xbe_ef_c0_de
const DATA_VERSION = 2
const HEADER = 24
const FLAGS_AT = 18
const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const META = 0x08
const NODE_HEADER = 8
const BIG_VALUE = 0x01
const SUB_TREE = 0x02
const TREE_SIZE = 48
const NO_ROOT = 2 ** 64

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

class Damage extends Error {}

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
  #walk({ root, depth, entries }: Tree): readonly Tree[] {
    const inner: Tree[] = []
    const steps: Step[] = root === NO_ROOT ? [] : [{ page: root, depth }]
    let found = 0
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (this.#seen.size >= MOST_PAGES) return []
      const page = this.#page(step)
      if (step.depth > 1) steps.push(...childrenOf(page, step.depth))
      else inner.push(...this.#leaf(page))
      if (step.depth === 1) found += page.nodes.length
    }
    if (found !== entries) throw new Damage(`it holds ${found} of ${entries} entries`)
    return inner
  }

  #page({ page, depth }: Step): Page {
    if (this.#seen.has(page)) throw new Damage(`page ${page} is used twice`)
    this.#seen.add(page)
    const bytes = this.#read(page * this.#pageSize, this.#pageSize)
    const kind = bytes.readUInt16LE(FLAGS_AT) & (BRANCH | LEAF | OVERFLOW | META)
    if (numberAt(bytes, 0) !== page || kind !== (depth > 1 ? BRANCH : LEAF)) {
      throw new Damage(`page ${page} is not what it should be`)
    }
    return { page, bytes, nodes: nodesOf(page, bytes) }
  }

  #leaf({ page, bytes, nodes }: Page): readonly Tree[] {
    const inner: Tree[] = []
    for (const node of nodes) {
      const flags = bytes.readUInt16LE(node + 4)
      const value = node + NODE_HEADER + bytes.readUInt16LE(node + 6)
      const length = bytes.readUInt32LE(node)
      const end = value + ((flags & BIG_VALUE) === 0 ? length : HEADER)
      if (end > bytes.length) throw new Damage(`an entry of page ${page} goes beyond it`)
      if ((flags & BIG_VALUE) !== 0) this.#bigValue(bytes, value, length)
      else if ((flags & SUB_TREE) !== 0) inner.push(subTree(page, bytes, value, length))
    }
    return inner
  }

  #bigValue(leaf: Buffer, at: number, length: number): void {
    const page = numberAt(leaf, at)
    const pages = numberAt(leaf, at + 16)
    const header = this.#read(page * this.#pageSize, HEADER)
    const whole =
      (page + pages) * this.#pageSize <= this.#size && HEADER + length <= pages * this.#pageSize
    if (whole && numberAt(header, 0) === page && (header.readUInt16LE(FLAGS_AT) & OVERFLOW) !== 0)
      return
    throw new Damage(`page ${page} is not what it should be`)
  }

  #read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    const whole =
      position + length <= this.#size && readSync(this.#file, bytes, 0, length, position)
    if (whole !== length) throw new Damage('it ends too early')
    return bytes
  }
}

interface Page {
  readonly page: number
  readonly bytes: Buffer
  /** Where its nodes begin. */
  readonly nodes: readonly number[]
}

function nodesOf(page: number, bytes: Buffer): readonly number[] {
  const lower = HEADER + bytes.readUInt16LE(20)
  const upper = HEADER + bytes.readUInt16LE(22)
  const nodes: number[] = []
  if (lower > upper || upper > bytes.length) throw impossible(page)
  for (let at = HEADER; at < lower; at += 2) {
    const node = HEADER + bytes.readUInt16LE(at)
    if (node < upper || node + NODE_HEADER > bytes.length) throw impossible(page)
    if (node + NODE_HEADER + bytes.readUInt16LE(node + 6) > bytes.length) throw impossible(page)
    nodes.push(node)
  }
  if (nodes.length === 0) throw impossible(page)
  return nodes
}

function childrenOf({ bytes, nodes }: Page, depth: number): readonly Step[] {
  return nodes.map((node) => ({ page: bytes.readUIntLE(node, 6), depth: depth - 1 }))
}

function subTree(page: number, bytes: Buffer, at: number, length: number): Tree {
  if (length === TREE_SIZE) return treeAt(bytes, at)
  throw impossible(page)
}

function treeAt(bytes: Buffer, at: number): Tree {
  const depth = bytes.readUInt16LE(at + 6)
  return { depth, entries: numberAt(bytes, at + 32), root: numberAt(bytes, at + 40) }
}

function numberAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32
}

function impossible(page: number): Damage {
  return new Damage(`page ${page} is not what it should be`)
}

function isPageSize(size: number): boolean {
  return size >= 256 && size <= 65_536 && (size & (size - 1)) === 0
}

function isKnownLayout(): boolean {
  return endianness() === 'LE' && ['x64', 'arm64', 'riscv64', 'loong64'].includes(arch)
}
