import { Connection } from './connection.js'

/** Milliseconds after its time when a burst gives up answers that are missing. */
const PATIENCE = 10_000

/**
 * @typedef {object} Job
 * @property {number} port on 127.0.0.1
 * @property {string} path
 * @property {readonly string[]} cookies taken in turn
 * @property {number} connections
 * @property {number} requests it ends after that many,
 * @property {number} milliseconds or after that time
 * @property {number} [patience] instead of ten seconds
 */

/** Requests over some connections that are made for it, each the next when the last was answered. */
export class Burst {
  #requests
  #place = 0
  #left
  #milliseconds
  #last = Infinity
  /** When the first request was sent; undefined: not all are connected yet. */
  #begun
  #seconds = 0
  /** When each connection sent the request that is under way; undefined: it is not connected yet. */
  #open = new Map()
  #connecting
  #timer
  #times = []
  #bytes = 0
  #errors = 0
  #problem
  #ready
  #done = () => undefined

  /**
   * @param {Job} job
   * @param {() => Promise<void>} ready
   */
  constructor({ port, path, cookies, requests, milliseconds }, ready) {
    this.#ready = ready
    this.#requests = cookies.map((cookie) => requestOf(port, path, cookie))
    this.#left = requests
    this.#milliseconds = milliseconds
  }

  /**
   * @param {Job} job
   * @param {() => Promise<void>} ready called when all are connected: requests are sent once it is done
   * @returns {Promise<object>} how many were answered, in which time, in how many bytes, the latencies in
   * microseconds, how many errors there were, and the first of them
   */
  static run(job, ready) {
    const burst = new Burst(job, ready)
    return new Promise((resolve) => burst.#run(job, () => resolve(burst.#summary())))
  }

  #run({ port, connections, milliseconds, patience = PATIENCE }, done) {
    this.#done = done
    this.#connecting = connections
    for (let count = 0; count < connections; count++) {
      this.#open.set(new Connection(port, this), undefined)
    }
    this.#timer = setTimeout(() => {
      for (const connection of this.#open.keys()) connection.end('no answer in time')
    }, milliseconds + patience)
  }

  connected() {
    this.#connecting--
    if (this.#connecting === 0) void this.#begin()
  }

  answered(connection, bytes, problem) {
    const now = performance.now()
    this.#times.push(now - this.#open.get(connection))
    this.#bytes += bytes
    if (problem !== undefined) this.#fail(problem)
    this.#next(connection, now)
  }

  ended(connection, problem) {
    if (problem !== undefined) this.#fail(problem)
    this.#open.delete(connection)
    // One that could not connect is not waited for.
    if (this.#open.size > 0) return this.#begun === undefined ? this.connected() : undefined
    clearTimeout(this.#timer)
    if (this.#begun !== undefined) this.#seconds = (performance.now() - this.#begun) / 1000
    this.#done()
  }

  async #begin() {
    await this.#ready()
    this.#begun = performance.now()
    this.#last = this.#begun + this.#milliseconds
    for (const connection of this.#open.keys()) this.#next(connection, this.#begun)
  }

  #next(connection, now) {
    if (this.#left <= 0 || now > this.#last) return connection.end()
    this.#left--
    this.#place = (this.#place + 1) % this.#requests.length
    this.#open.set(connection, performance.now())
    connection.ask(this.#requests[this.#place])
  }

  #fail(problem) {
    this.#errors++
    this.#problem ??= problem
  }

  #summary() {
    const times = Float64Array.from(this.#times).toSorted()
    const at = (part) => Math.round((times[Math.floor(part * (times.length - 1))] ?? 0) * 1000)
    return {
      requests: times.length,
      seconds: this.#seconds,
      bytes: this.#bytes,
      ...{ p50: at(0.5), p99: at(0.99), max: at(1) },
      ...{ errors: this.#errors, problem: this.#problem },
    }
  }
}

function requestOf(port, path, cookie) {
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`
  return Buffer.from(head, 'latin1')
}
