import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onOtherCore } from './cpus.ts'

const PROGRAM = fileURLToPath(new URL('../subjects/load.js', import.meta.url))
/** After what a burst gives up by itself. */
const SILENCE = 30_000

/** Requests that are to be sent. */
export interface Job {
  /** Of a server on 127.0.0.1. */
  readonly port: number
  readonly path: string
  /** Each request has the next of them. */
  readonly cookies: readonly string[]
  readonly connections: number
  /** It ends after that many requests, */
  readonly requests: number
  /** or after that many milliseconds. */
  readonly milliseconds: number
  /** Milliseconds after its time when answers that are missing are given up, as errors: ten seconds. */
  readonly patience?: number
}

/** What was seen of a burst of requests. Times in microseconds. */
export interface Burst {
  /** Those that were answered, whatever the status. */
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Answers with another status than 200, and connections that failed or were closed. */
  readonly errors: number
  /** The first of the errors. */
  readonly problem?: string
}

/**
 * The process that loads servers, on the core of the engines. It polls while it works, so that no server
 * pays for waking it, and stays for all bursts, so that it is warm. It ends with this process.
 */
export class Generator {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static start(): Generator {
    // An engine on the same core goes first: while the load polls it would wait for its turn.
    const [program = '', ...args] = onOtherCore(['nice', '-n', '19', process.execPath, PROGRAM])
    return new Generator(spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  }

  /**
   * One burst. Each connection is new, and sends the next request when the last one was answered.
   *
   * @param connected - called when all connections are there: requests are sent once it is done
   * @throws Error if there is no result in time
   */
  async run(job: Job, connected?: () => Promise<void>): Promise<Burst> {
    const aborted = new AbortController()
    const abort = (): void => aborted.abort()
    const timer = setTimeout(abort, job.milliseconds + SILENCE)
    this.#child.once('exit', abort)
    try {
      const told = await this.#ask(job, aborted.signal)
      // If none could be made, that is the result.
      if (told !== 'connected') return told
      await connected?.()
      return (await this.#ask('begin', aborted.signal)) as Burst
    } catch (cause) {
      this.#child.kill('SIGKILL')
      throw new Error(`The load on port ${job.port} did not end.`, { cause })
    } finally {
      clearTimeout(timer)
      this.#child.off('exit', abort)
    }
  }

  async #ask(message: Job | 'begin', signal: AbortSignal): Promise<'connected' | Burst> {
    this.#child.send(message)
    const [told] = (await once(this.#child, 'message', { signal })) as ['connected' | Burst]
    return told
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}
