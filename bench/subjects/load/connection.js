import { connect } from 'node:net'
import { lengthOf, statusOf } from './answer.js'

const OK = 200
const ROOM = 65_536

/**
 * Who uses a connection.
 *
 * @typedef {object} User
 * @property {(connection: Connection) => void} connected
 * @property {(connection: Connection, bytes: number, problem?: string) => void} answered
 * @property {(connection: Connection, problem?: string) => void} ended once, whatever happened
 */

/** A connection to a server on 127.0.0.1 on which one request is under way at a time. */
export class Connection {
  #user
  #socket
  #isWaiting = false
  #hasEnded = false
  /** What has arrived of an answer. */
  #text = ''

  /** @param {number} port @param {User} user */
  constructor(port, user) {
    this.#user = user
    const onread = {
      buffer: Buffer.allocUnsafe(ROOM),
      callback: (size, buffer) => this.#receive(buffer.latin1Slice(0, size)),
    }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.#socket.on('connect', () => user.connected(this))
    this.#socket.on('error', (error) => this.end(error.message))
    this.#socket.on('close', () => this.end('the server closed the connection'))
  }

  /** @param {Buffer} request */
  ask(request) {
    this.#isWaiting = true
    this.#socket.write(request)
  }

  /** @param {string} [problem] why, if it is not because all is done */
  end(problem) {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#socket.destroy()
    this.#user.ended(this, problem)
  }

  /** @returns whether more is to be read */
  #receive(text) {
    this.#text += text
    try {
      this.#follow()
    } catch (error) {
      this.end(error.message)
    }
    return !this.#hasEnded
  }

  #follow() {
    const length = lengthOf(this.#text)
    if (length === undefined) return
    const answer = this.#text
    if (!this.#isWaiting || length < answer.length) return this.end('more than was asked for')
    this.#isWaiting = false
    this.#text = ''
    const status = statusOf(answer)
    this.#user.answered(this, length, status === OK ? undefined : `status ${status}`)
  }
}
