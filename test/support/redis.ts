import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a Redis server of a test is set up. */
export interface RedisServerOptions {
  /**
   * Set this when the data is to survive `kill()` and `restart()`: the append-only file is on, in a
   * directory of its own that `stop()` removes.
   */
  readonly persistent?: boolean
  /** A directory to work in, kept by `stop()`. Without it there is one for this server alone. */
  readonly directory?: string
  /** A port; default: a free one. */
  readonly port?: number
  /** A file of settings, which comes before the arguments. The server may write to it. */
  readonly config?: string
  /** More arguments of the server: `['--requirepass', 'secret']`. */
  readonly args?: readonly string[]
}

const READY_WITHIN = 10_000
// What a server says, or a sentinel.
const READY_LINE = /Ready to accept connections|Sentinel ID is/

/** Starts a real redis-server on 127.0.0.1 and resolves when it answers. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = new RedisServer(options, await chooseDirectory(options))
  await server.start()
  return server
}

/** A redis-server that belongs to one test file. It dies with the process that started it. */
export class RedisServer {
  readonly host = '127.0.0.1'
  readonly #options: RedisServerOptions
  readonly #directory: string
  readonly #killAtExit = (): void => void this.#child?.kill('SIGKILL')
  #child: ChildProcess | undefined
  #port = 0

  /** Use {@link startRedis}. */
  constructor(options: RedisServerOptions, directory: string) {
    this.#options = options
    this.#directory = directory
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `redis://${this.host}:${this.#port}`
  }

  /** The process id; undefined while the server is down. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the server, if it is down, on the port and directory that it had before. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return
    for (let attempt = 1; ; attempt++) {
      if (this.#port === 0) this.#port = this.#options.port ?? (await freePort())
      if (await this.#launch()) return
      // Another process may have taken the free port first.
      if (attempt === 3 || this.#options.port !== undefined) break
      this.#port = 0
    }
    throw new Error(`redis-server did not start on port ${this.#port}`)
  }

  /** Ends the server in order (what is persistent is on disk) and removes what it left. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    if (this.#options.directory === undefined) {
      await rm(this.#directory, { recursive: true, force: true })
    }
  }

  /** The server crashes: SIGKILL. Its directory stays, for `start()` or `restart()`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends the server, if it runs, and starts it again on the same port and directory. */
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

  async #launch(): Promise<boolean> {
    const child = spawn('redis-server', this.#arguments(), { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#child = child
    process.once('exit', this.#killAtExit)
    if (await serves(child)) return true
    await this.#end('SIGKILL')
    return false
  }

  #arguments(): string[] {
    const { persistent = false, config, args = [] } = this.#options
    const first = config === undefined ? [] : [config]
    const base = [...first, '--bind', this.host, '--port', String(this.#port), '--save', '']
    const file = ['--appendonly', persistent ? 'yes' : 'no', '--appendfsync', 'always']
    const directory = ['--dir', this.#directory]
    return [...base, ...file, ...directory, '--daemonize', 'no', ...args]
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    process.removeListener('exit', this.#killAtExit)
    if (child?.pid === undefined) return
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    // A frozen server hears SIGTERM only once it goes on.
    if (signal === 'SIGTERM') child.kill('SIGCONT')
    await exited
  }
}

/** A port of 127.0.0.1 that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

// Never one that others use: a server begins with the dump that a replica has left there.
async function chooseDirectory({ directory }: RedisServerOptions): Promise<string> {
  return directory ?? mkdtemp(join(tmpdir(), 'sojourn-redis-'))
}

/** True once the server says that it serves; false if it ends first, or takes too long. */
function serves(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), READY_WITHIN)
    const settle = (ready: boolean): void => {
      clearTimeout(timer)
      resolve(ready)
    }
    let log = ''
    child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      if (READY_LINE.test(log)) return
      log += text
      if (READY_LINE.test(log)) settle(true)
    })
    child.once('error', () => settle(false))
    child.once('exit', () => settle(false))
  })
}
