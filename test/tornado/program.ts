import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../.build/examples/origin/main.js', import.meta.url))

/** How the origin program is started. */
export interface ProgramOptions {
  /** Where it runs: the embedded engine keeps its files there. */
  readonly directory: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The origin program as it was built, in a process of its own. */
export class Program {
  readonly #child: ChildProcess
  readonly #ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  constructor({ directory, args = [], env = {} }: ProgramOptions) {
    if (!existsSync(PROGRAM)) throw new Error('The examples are not built: npm run build')
    const { PATH = '', HOME = '' } = process.env
    const options = { cwd: directory, env: { PATH, HOME, ...env } }
    this.#child = spawn(process.execPath, [PROGRAM, ...args], options)
    this.#child.stdout?.on('data', (text: Buffer) => (this.#stdout += text.toString()))
    this.#child.stderr?.on('data', (text: Buffer) => (this.#stderr += text.toString()))
    this.#ended = once(this.#child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  /** The first line that it prints names where it serves. */
  async serving(): Promise<string> {
    while (!this.#stdout.includes('Ctrl+C')) {
      const next = once(this.#child.stdout ?? this.#child, 'data')
      const ended = await Promise.race([this.#ended, next.then(() => undefined)])
      if (ended !== undefined) throw new Error(`The program ended: ${ended.stderr}`)
    }
    return /http:\/\/localhost:\d+/.exec(this.#stdout)?.[0] ?? ''
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  ended(): Promise<Ended> {
    return this.#ended
  }

  /** Ends it as a person would, or at once. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(signal)
    return this.#ended
  }
}
