import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { SessionError } from '../../errors.ts'
import type { Address } from './address.ts'
import { closed, refused, unreachable } from './failures.ts'
import { ReplyReader } from './replies.ts'
import type { Reply } from './replies.ts'

interface Waiting {
  /** The word that the answer has to repeat, so that no answer is taken for that of another call. */
  readonly mark: string
  readonly since: number
  /** True when the answer is complete. */
  readonly take: (reply: Reply) => boolean
  readonly fail: (error: SessionError) => void
}

const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 1000
const LARGEST_ITEM = 1_048_576
const ERRORS: ReadonlySet<string | undefined> = new Set(['ERROR', 'CLIENT_ERROR', 'SERVER_ERROR'])

/**
 * The connection to one server: opened when it is needed, with any number of calls on their way at
 * once. After a failure calls fail at once for a while, which doubles from failure to failure; then
 * the next call tries to connect.
 */
export class Connection {
  readonly name: string
  readonly #address: Address
  readonly #patience: number
  #socket: Socket | undefined
  #waiting: Waiting[] = []
  #head = 0
  #sent = 0
  #corked = false
  #largestItem: Promise<number> | undefined
  #failures = 0
  #pausedUntil = 0
  #lastError: unknown
  #closed = false

  /** @param patience - ms after which a server that answers nothing is taken for lost */
  constructor(address: Address, patience: number) {
    this.name = address.name
    this.#address = address
    this.#patience = patience
  }

  /** Bytes that an item may have, with its key, as the server says. */
  async largestItem(): Promise<number> {
    this.#connected()
    return this.#largestItem ?? LARGEST_ITEM
  }

  /**
   * Sends a command of the meta protocol.
   *
   * @param command - without the end of the line
   * @param value - the bytes after it
   */
  send(command: string, value?: Uint8Array): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const mark = `O${(this.#sent = (this.#sent + 1) % 1_000_000_000)}`
      const socket = this.#connected()
      const take = (reply: Reply): boolean => {
        const error = this.#errorIn(reply)
        if (error === undefined) resolve(reply)
        else reject(error)
        return true
      }
      this.#waiting.push({ mark, since: performance.now(), take, fail: reject })
      this.#write(socket, `${command} ${mark}\r\n`, value)
    })
  }

  close(): void {
    this.#closed = true
    this.#lose(closed())
  }

  #connected(): Socket {
    if (this.#closed) throw closed()
    const now = performance.now()
    const oldest = this.#waiting[this.#head]
    if (oldest !== undefined && now - oldest.since > this.#patience)
      this.#fail('It stopped to answer.')
    if (this.#socket !== undefined) return this.#socket
    if (now < this.#pausedUntil) throw unreachable(this.name, this.#lastError)
    return this.#connect()
  }

  #connect(): Socket {
    const socket = connect({ ...this.#address.where, noDelay: true, keepAlive: true })
    const replies = new ReplyReader((reply) => {
      if (socket === this.#socket) this.#answered(reply)
    })
    socket.on('data', (bytes) => {
      if (socket !== this.#socket) return
      try {
        replies.push(bytes)
      } catch (error) {
        this.#fail(error)
      }
    })
    socket.on('error', (error) => this.#socket === socket && this.#fail(error))
    socket.on('close', () => this.#socket === socket && this.#fail('It closed the connection.'))
    this.#socket = socket
    this.#largestItem = this.#askLargestItem(socket)
    return socket
  }

  /** The only answer of several lines, at the beginning of each connection. */
  #askLargestItem(socket: Socket): Promise<number> {
    const asked = new Promise<number>((resolve, fail) => {
      let largest = LARGEST_ITEM
      const take = ({ words: [word, name, value] }: Reply): boolean => {
        if (word === 'STAT' && name === 'item_size_max') largest = Number(value)
        if (word !== 'STAT') resolve(largest)
        return word !== 'STAT'
      }
      this.#waiting.push({ mark: '', since: performance.now(), take, fail })
      this.#write(socket, 'stats settings\r\n')
    })
    // Whoever needs it is told of the failure; that nobody may is no failure of its own.
    asked.catch(() => undefined)
    return asked
  }

  #write(socket: Socket, line: string, value?: Uint8Array): void {
    if (!this.#corked) this.#cork(socket)
    socket.write(line, 'latin1')
    if (value === undefined) return
    socket.write(value)
    socket.write('\r\n', 'latin1')
  }

  /** What is sent in one turn of the event loop leaves in one packet. */
  #cork(socket: Socket): void {
    this.#corked = true
    socket.cork()
    process.nextTick(() => {
      this.#corked = false
      socket.uncork()
    })
  }

  #answered(reply: Reply): void {
    const waiting = this.#waiting[this.#head]
    if (waiting === undefined || isForAnother(reply, waiting.mark)) {
      return this.#fail('It answered what it was not asked.')
    }
    this.#failures = 0
    if (!waiting.take(reply)) return
    this.#head++
    if (this.#head === this.#waiting.length || this.#head > 1024) {
      this.#waiting.splice(0, this.#head)
      this.#head = 0
    }
  }

  #errorIn({ words }: Reply): SessionError | undefined {
    return ERRORS.has(words[0]) ? refused(this.name, words.join(' ')) : undefined
  }

  #fail(cause: unknown): void {
    this.#lastError = typeof cause === 'string' ? new Error(cause) : cause
    const pause = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** this.#failures)
    this.#failures += 1
    this.#pausedUntil = performance.now() + pause
    this.#lose(unreachable(this.name, this.#lastError))
  }

  #lose(error: SessionError): void {
    const waiting = this.#waiting.slice(this.#head)
    const socket = this.#socket
    this.#waiting = []
    this.#head = 0
    this.#socket = undefined
    this.#corked = false
    socket?.destroy()
    for (const { fail } of waiting) fail(error)
  }
}

/** A miss and an error repeat no mark. */
function isForAnother({ words }: Reply, mark: string): boolean {
  const repeated = words.find((word) => /^O\d+$/.test(word))
  return repeated !== undefined && repeated !== mark
}
