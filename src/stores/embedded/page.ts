/**
 * A page of an LMDB tree as bytes: header, offsets of the nodes, free space, nodes.
 *
 * @module
 */

/** What is wrong with a file. */
export class Damage extends Error {}

/** A tree as its owner describes it. */
export interface Tree {
  readonly root: number
  readonly depth: number
  readonly entries: number
  /** True if its keys are in the order of their bytes. */
  readonly ordered: boolean
}

/** A page to look at; the leaves are at depth 1. Its keys are from `from` on and below `below`. */
export interface Step {
  readonly page: number
  readonly depth: number
  readonly from: Buffer | undefined
  readonly below: Buffer | undefined
}

/** A value that has pages of its own. */
export interface BigValue {
  readonly page: number
  readonly pages: number
  readonly length: number
}

/** The bytes before the offsets of the nodes, in every page. */
export const HEADER = 24
/** Where the flags of a page are, two bytes. */
export const FLAGS_AT = 18
/** The flag of the two pages that describe the file. */
export const META = 0x08
/** The flag of the first page of a big value. */
export const OVERFLOW = 0x04
/** The root of a tree without entries. */
export const NO_ROOT: number = 2 ** 64

const BRANCH = 0x01
const LEAF = 0x02
// Leaves of keys of one size, and pages within a page, which no tree of ours has.
const OTHER_LEAVES = 0x20 | 0x40
const KINDS = BRANCH | LEAF | OVERFLOW | META | OTHER_LEAVES
const NODE_HEADER = 8
const BIG_VALUE = 0x01
const SUB_TREE = 0x02
const TREE_SIZE = 48
const REVERSE_OR_INTEGER_KEYS = 0x0a

/** A page whose structure is sound: every node is within it, and its keys are in order and in bounds. */
export class TreePage {
  readonly #number: number
  readonly #bytes: Buffer
  /** Where the nodes begin. */
  readonly #nodes: readonly number[]

  /** @throws Damage */
  constructor(step: Step, bytes: Buffer, ordered: boolean) {
    this.#number = step.page
    this.#bytes = bytes
    const kind = bytes.readUInt16LE(FLAGS_AT) & KINDS
    if (numberAt(bytes, 0) !== step.page || kind !== (step.depth > 1 ? BRANCH : LEAF))
      this.#refuse()
    this.#nodes = this.#offsets()
    if (ordered) this.#checkOrder(step)
  }

  get size(): number {
    return this.#nodes.length
  }

  /** The pages below a branch page. */
  children({ depth, from, below }: Step): readonly Step[] {
    // The first key of a branch page is empty: it stands for whatever is before the second one.
    return this.#nodes.map((node, index) => ({
      page: this.#bytes.readUIntLE(node, 6),
      depth: depth - 1,
      from: index === 0 ? from : this.#key(node),
      below: this.#keyOf(index + 1) ?? below,
    }))
  }

  /** The trees and the big values in a leaf page. @throws Damage */
  contents(): { readonly trees: readonly Tree[]; readonly bigValues: readonly BigValue[] } {
    const trees: Tree[] = []
    const bigValues: BigValue[] = []
    for (const node of this.#nodes) {
      const flags = this.#bytes.readUInt16LE(node + 4)
      const at = node + NODE_HEADER + this.#bytes.readUInt16LE(node + 6)
      const length = this.#bytes.readUInt32LE(node)
      const isBig = (flags & BIG_VALUE) !== 0
      if (at + (isBig ? HEADER : length) > this.#bytes.length) this.#refuse()
      if (isBig) bigValues.push(bigValueAt(this.#bytes, at, length))
      else if ((flags & SUB_TREE) !== 0) trees.push(this.#treeAt(at, length))
    }
    return { trees, bigValues }
  }

  #offsets(): readonly number[] {
    const bytes = this.#bytes
    const lower = HEADER + bytes.readUInt16LE(20)
    const upper = HEADER + bytes.readUInt16LE(22)
    const nodes: number[] = []
    if (lower > upper || upper > bytes.length) this.#refuse()
    for (let at = HEADER; at < lower; at += 2) {
      const node = HEADER + bytes.readUInt16LE(at)
      if (node < upper || node + NODE_HEADER > bytes.length) this.#refuse()
      if (node + NODE_HEADER + bytes.readUInt16LE(node + 6) > bytes.length) this.#refuse()
      nodes.push(node)
    }
    if (nodes.length === 0) this.#refuse()
    return nodes
  }

  #checkOrder({ depth, from, below }: Step): void {
    let before = from
    for (const node of depth > 1 ? this.#nodes.slice(1) : this.#nodes) {
      const key = this.#key(node)
      const order = before === undefined ? 1 : key.compare(before)
      if (order < 0 || (order === 0 && before !== from)) this.#refuse()
      before = key
    }
    if (before !== undefined && below !== undefined && before.compare(below) >= 0) this.#refuse()
  }

  #treeAt(at: number, length: number): Tree {
    if (length !== TREE_SIZE) this.#refuse()
    return treeAt(this.#bytes, at)
  }

  #keyOf(index: number): Buffer | undefined {
    const node = this.#nodes[index]
    return node === undefined ? undefined : this.#key(node)
  }

  #key(node: number): Buffer {
    const start = node + NODE_HEADER
    return this.#bytes.subarray(start, start + this.#bytes.readUInt16LE(node + 6))
  }

  #refuse(): never {
    throw unexpected(this.#number)
  }
}

/** The description of a tree at this place. */
export function treeAt(bytes: Buffer, at: number): Tree {
  return {
    depth: bytes.readUInt16LE(at + 6),
    entries: numberAt(bytes, at + 32),
    root: numberAt(bytes, at + 40),
    ordered: (bytes.readUInt16LE(at + 4) & REVERSE_OR_INTEGER_KEYS) === 0,
  }
}

/** The number at this place, 8 bytes; exact as far as a file can be large. */
export function numberAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32
}

/** The error for a page that was overwritten. */
export function unexpected(page: number): Damage {
  return new Damage(`page ${page} is not what it should be`)
}

function bigValueAt(bytes: Buffer, at: number, length: number): BigValue {
  return { page: numberAt(bytes, at), pages: numberAt(bytes, at + 16), length }
}
