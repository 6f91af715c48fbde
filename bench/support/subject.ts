import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onServerCore } from './cpus.ts'

const MAIN = fileURLToPath(new URL('../subjects/main.js', import.meta.url))
const READY_WITHIN = 60_000

// A process that waits half a minute for its turn gives up what it has compiled, and is then dearer for
// a second: one that has requests to answer keeps it.
const AS_UNDER_LOAD = ['--single-threaded-gc', '--no-memory-reducer', '--no-flush-bytecode']

/** What a process has used so far. */
interface Usage {
  /** Microseconds of processor time, in the program and in the system on its behalf. */
  readonly user: number
  readonly system: number
}

/** A measured server, in a process of its own on a core of its own. It ends with this process. */
export class Subject {
  readonly name: string
  readonly #child: ChildProcess
  #port = 0

  private constructor(name: string, child: ChildProcess) {
    this.name = name
    this.#child = child
  }

  /**
   * Starts `variants[variant]` of `subjects/<group>.js`.
   *
   * @param flags - of node, such as `--cpu-prof`
   */
  static async start(
    group: string,
    variant: string,
    env: Readonly<Record<string, string>>,
    flags: readonly string[] = [],
  ): Promise<Subject> {
    const node = [process.execPath, ...AS_UNDER_LOAD, ...flags, MAIN, group, variant]
    const [program = '', ...args] = onServerCore(node)
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', ...env },
    })
    const subject = new Subject(variant, child)
    const { port } = await subject.#message<{ port: number }>()
    subject.#port = port
    return subject
  }

  /** Of 127.0.0.1. */
  get port(): number {
    return this.#port
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#port}${path}`
  }

  /** What the process has used so far. */
  async usage(): Promise<Usage> {
    this.#child.send('usage')
    return this.#message<Usage>()
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    await exited
    clearTimeout(timer)
  }

  async #message<T>(): Promise<T> {
    const aborted = new AbortController()
    const timer = setTimeout(() => aborted.abort(), READY_WITHIN)
    const ended = (): void => aborted.abort()
    this.#child.once('exit', ended)
    try {
      const [message] = await once(this.#child, 'message', { signal: aborted.signal })
      return message as T
    } catch (cause) {
      this.#child.kill('SIGKILL')
      throw new Error(`The server '${this.name}' did not answer.`, { cause })
    } finally {
      clearTimeout(timer)
      this.#child.off('exit', ended)
    }
  }
}
