/** One answer of memcached: its line as words, and the bytes that followed if the line announced some. */
export interface Reply {
  readonly words: readonly string[]
  readonly value?: Buffer
}

const CR = 13
const LF = 10
/** No answer has a longer line; what does is not memcached. */
const LONGEST_LINE = 2048

/** Cuts what a socket receives into answers of the meta protocol, however it arrives. */
export class ReplyReader {
  readonly #tell: (reply: Reply) => void
  #pieces: Buffer[] = []
  #length = 0
  /** How many bytes must be there before it is worth looking. */
  #wanted = 1

  /** @param tell - is given each answer, in order */
  constructor(tell: (reply: Reply) => void) {
    this.#tell = tell
  }

  /** @throws RangeError if this cannot be memcached; nothing after it can be understood */
  push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#length += piece.length
    if (this.#length < this.#wanted) return
    let rest = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#length)
    this.#wanted = 1
    for (;;) {
      const used = this.#read(rest)
      if (used === 0) break
      rest = rest.subarray(used)
    }
    this.#pieces = rest.length === 0 ? [] : [rest]
    this.#length = rest.length
  }

  /** How many bytes the first answer took; 0 if it is not whole. */
  #read(bytes: Buffer): number {
    const end = bytes.indexOf(LF)
    if (end === -1 && bytes.length > LONGEST_LINE) throw new RangeError('The line has no end.')
    if (end === -1) return 0
    const line = bytes.toString('latin1', 0, bytes[end - 1] === CR ? end - 1 : end)
    const words = line.split(' ')
    if (words[0] !== 'VA') return this.#told({ words }, end + 1)
    const start = end + 1
    const size = sizeOf(words[1])
    if (bytes.length < start + size + 2) return this.#waitFor(start + size + 2)
    if (bytes[start + size] !== CR) throw new RangeError('The value is not as long as announced.')
    return this.#told({ words, value: bytes.subarray(start, start + size) }, start + size + 2)
  }

  #told(reply: Reply, length: number): number {
    this.#tell(reply)
    return length
  }

  #waitFor(length: number): number {
    this.#wanted = length
    return 0
  }
}

function sizeOf(word: string | undefined): number {
  const size = Number(word)
  if (Number.isSafeInteger(size) && size >= 0) return size
  throw new RangeError('The value has no length.')
}
