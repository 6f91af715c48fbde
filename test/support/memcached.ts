import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './redis.ts'

/** How a memcached of a test is set up. */
export interface MemcachedServerOptions {
  /** More arguments of the server: `['-m', '2']`. */
  readonly args?: readonly string[]
}

const READY_WITHIN = 10_000

/** Starts a real memcached on 127.0.0.1 and resolves when it answers. */
export async function startMemcached(
  options: MemcachedServerOptions = {},
): Promise<MemcachedServer> {
  const server = new MemcachedServer(options)
  await server.start()
  return server
}

/** A memcached that belongs to one test file. It dies with the process that started it. */
export class MemcachedServer {
  readonly host = '127.0.0.1'
  readonly #args: readonly string[]
  readonly #killAtExit = (): void => void this.#child?.kill('SIGKILL')
  #child: ChildProcess | undefined
  #port = 0

  /** Use {@link startMemcached}. */
  constructor(options: MemcachedServerOptions) {
    this.#args = options.args ?? []
  }

  get port(): number {
    return this.#port
  }

  /** `host:port`, as `servers` takes it. */
  get address(): string {
    return `${this.host}:${this.#port}`
  }

  /** The process id; undefined while the server is down. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the server, if it is down, on the port that it had before; it has forgotten everything. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return
    if (this.#port === 0) this.#port = await freePort()
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
    const args = [
      '-l',
      this.host,
      '-p',
      String(this.#port),
      '-U',
      '0',
      '-t',
      '2',
      ...user,
      ...this.#args,
    ]
    const child = spawn('memcached', args, { stdio: 'ignore' })
    this.#child = child
    process.once('exit', this.#killAtExit)
    if (await serves(child, this.#port)) return
    await this.#end('SIGKILL')
    throw new Error(
      `memcached did not start on port ${this.#port}. Is it installed? apt-get install -y memcached`,
    )
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** The server crashes: SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends the server, if it runs, and starts an empty one on the same port. */
  async restart(): Promise<void> {
    await this.#end('SIGTERM')
    await this.start()
  }

  /** The server freezes: connections stay open and nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /**
   * Sends a command of the text protocol over a connection of its own.
   *
   * @param command - without the end of the line; bytes are those of latin1
   * @param last - with what the answer ends: `END`, `STORED`
   * @returns the answer, its bytes as latin1
   */
  async ask(command: string, last: string): Promise<string> {
    const socket = connect(this.#port, this.host)
    socket.setEncoding('latin1').write(`${command}\r\n`, 'latin1')
    let answer = ''
    for await (const text of socket) {
      answer += text
      if (answer.endsWith(`${last}\r\n`)) break
    }
    return answer
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    process.removeListener('exit', this.#killAtExit)
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    // A frozen server hears SIGTERM only once it goes on.
    if (signal === 'SIGTERM') child.kill('SIGCONT')
    await exited
  }
}

/** True once the server accepts connections; false if it ends first, or takes too long. */
async function serves(child: ChildProcess, port: number): Promise<boolean> {
  const end = new AbortController()
  child.once('error', () => end.abort())
  child.once('exit', () => end.abort())
  for (let waited = 0; waited < READY_WITHIN && !end.signal.aborted; waited += 20) {
    if (await accepts(port)) return !end.signal.aborted
    await sleep(20)
  }
  return false
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
