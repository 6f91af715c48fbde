import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './redis.ts'

/** How a PostgreSQL server of a test is set up. */
export interface PostgresServerOptions {
  /** More settings: `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

const READY_WITHIN = 15_000
const READY_LINE = 'database system is ready to accept connections'
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // A killed server leaves nothing outside its directory, and no test cuts the power.
  dynamic_shared_memory_type: 'mmap',
  fsync: 'off',
}

/** Starts a real PostgreSQL server on 127.0.0.1, in a directory of its own, and resolves when it answers. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const account = unprivileged()
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-postgres-'))
  if (account !== undefined) await chown(directory, account.uid, account.gid)
  const data = join(directory, 'data')
  const create = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ]
  await promisify(execFile)(binary('initdb'), create, { ...account, cwd: directory })
  const server = new PostgresServer(options, directory, account)
  await server.start()
  return server
}

interface Account {
  readonly uid: number
  readonly gid: number
}

/** A PostgreSQL server that belongs to one test file. It dies with the process that started it. */
export class PostgresServer {
  readonly host = '127.0.0.1'
  readonly #options: PostgresServerOptions
  readonly #directory: string
  readonly #account: Account | undefined
  readonly #killAtExit = (): void => this.#signal('SIGKILL')
  #child: ChildProcess | undefined
  #port = 0

  /** Use {@link startPostgres}. */
  constructor(options: PostgresServerOptions, directory: string, account: Account | undefined) {
    this.#options = options
    this.#directory = directory
    this.#account = account
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `postgres://postgres@${this.host}:${this.#port}/postgres`
  }

  /** The process id; undefined while the server is down. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the server, if it is down, on the port and directory that it had before. */
  async start(): Promise<void> {
    if (this.#child !== undefined) return
    if (this.#port === 0) this.#port = await freePort()
    const settings = { ...SETTINGS, ...this.#options.settings, port: String(this.#port) }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(binary('postgres'), ['-D', join(this.#directory, 'data'), ...args], {
      ...this.#account,
      cwd: this.#directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    process.once('exit', this.#killAtExit)
    const log = await readyOrLog(child)
    if (log === undefined) return
    await this.#end('SIGKILL')
    throw new Error(`PostgreSQL did not start on port ${this.#port}:\n${log}`)
  }

  /** Ends the server in order and removes what it left. */
  async stop(): Promise<void> {
    // A crashed server has left shared memory behind: it clears that away when it starts again.
    await this.start()
    await this.#end('SIGINT')
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** The server crashes: SIGKILL to all of its processes. What was committed stays, for `start()`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends the server, cutting all connections, and starts it again on the same port and directory. */
  async restart(): Promise<void> {
    await this.#end('SIGINT')
    await this.start()
  }

  /** The server freezes: connections stay open and nothing is answered. */
  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  /** Every process of the server: one for each connection and several of its own. */
  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    for (const process of [pid, ...childrenOf(pid)]) signalProcess(process, signal)
  }

  async #end(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    process.removeListener('exit', this.#killAtExit)
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      // A killed parent tells no child to end: all are frozen first, so that none is missed.
      if (signal === 'SIGKILL') this.#signal('SIGSTOP')
      if (signal === 'SIGKILL') this.#signal(signal)
      else child.kill(signal)
      if (signal === 'SIGINT') this.#signal('SIGCONT')
      await exited
    }
    this.#child = undefined
  }
}

function childrenOf(pid: number): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    return list.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

/** PostgreSQL refuses to run as root: then its programs run as the user `postgres`. */
function unprivileged(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres']))
  return { uid: id('-u'), gid: id('-g') }
}

/** A program of PostgreSQL: on the PATH, or where Debian keeps them, the newest version first. */
function binary(name: string): string {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a))
    : []
  const onPath = (process.env['PATH'] ?? '').split(':').filter((directory) => directory !== '')
  const found = [...onPath, ...versions.map((version) => join(debian, version, 'bin'))]
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new Error(`'${name}' was not found. Install PostgreSQL: apt-get install -y postgresql`)
}

/** Undefined once the server says that it is ready; its log if it ends first, or takes too long. */
function readyOrLog(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let log = ''
    const timer = setTimeout(() => resolve(log), READY_WITHIN)
    const settle = (answer: string | undefined): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (log.length < 100_000) log += text
      if (log.includes(READY_LINE)) settle(undefined)
    })
    child.once('error', (error) => settle(`${log}${error.message}`))
    child.once('exit', () => settle(log))
  })
}
