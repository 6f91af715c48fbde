import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../support/redis.ts'
import { root } from '../../support/source.ts'

/** The longest that one step may take on a busy machine, in ms. */
const STEP = 240_000
const READY = 60_000
const MADE = new Set(['node_modules', '.next', '.svelte-kit', '.react-router', 'build'])

/** An example with packages and a build of its own, in a copy that outlives the tests. */
export class Project {
  readonly #folder: string
  readonly #source: string
  #server: ChildProcess | undefined

  constructor(name: string) {
    this.#source = join(root, 'examples', name)
    this.#folder = join(root, '.build', name)
  }

  /** Installs what its lockfile names, unless that is there already, and this package as it was built. */
  async install(): Promise<void> {
    const filter = (path: string): boolean => !MADE.has(basename(path))
    await cp(this.#source, this.#folder, { recursive: true, filter })
    const lock = await readFile(join(this.#folder, 'package-lock.json'))
    const wanted = createHash('sha256').update(lock).digest('hex')
    const stamp = join(this.#folder, 'node_modules/.installed')
    if ((await readFile(stamp, 'utf8').catch(() => '')) !== wanted) {
      const patience = ['--prefer-offline', '--fetch-retries=1', '--fetch-timeout=30000']
      await this.#run('npm', ['ci', '--ignore-scripts', '--loglevel=error', ...patience])
      await writeFile(stamp, wanted)
    }
    const ours = join(this.#folder, 'node_modules/sojourn')
    await rm(join(ours, 'dist'), { recursive: true, force: true })
    await cp(join(root, 'dist'), join(ours, 'dist'), { recursive: true })
    await cp(join(root, 'package.json'), join(ours, 'package.json'))
  }

  /** Runs one of its scripts. */
  script(name: string): Promise<void> {
    return this.#run('npm', ['run', '--silent', name])
  }

  /** Starts a program of it; answers its port when it serves. */
  async serve(program: (port: number) => readonly string[]): Promise<number> {
    const port = await freePort()
    const env = this.#environment({ HOST: '127.0.0.1', PORT: `${port}` })
    env['ORIGIN'] = `http://127.0.0.1:${port}`
    const server = spawn(process.execPath, program(port), { cwd: this.#folder, env, stdio: PIPED })
    this.#server = server
    process.once('exit', () => server.kill('SIGKILL'))
    const said = collect(server)
    for (let waited = 0; !(await answers(port)); waited += 100) {
      const ended = server.exitCode !== null || server.signalCode !== null
      if (ended || waited > READY) throw new Error(`${this.#folder} does not serve:\n${said()}`)
      await sleep(100)
    }
    return port
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGKILL')
    await exited
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const options = { cwd: this.#folder, env: this.#environment(), detached: true, stdio: PIPED }
    const child = spawn(program, args, options)
    const said = collect(child)
    // The group: what npm has started goes with it.
    const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), STEP)
    const [code] = await once(child, 'close')
    clearTimeout(timer)
    if (code === 0) return
    const command = [program, ...args].join(' ')
    throw new Error(`"${command}" failed in ${this.#folder} (${code ?? 'killed'}):\n${said()}`)
  }

  #environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const { NODE_ENV: _, NODE_OPTIONS: __, VITEST: ___, ...inherited } = process.env
    const settings = { NEXT_TELEMETRY_DISABLED: '1', CI: '1', SESSION_SECRET: SECRET }
    return { ...inherited, ...settings, ...more }
  }
}

const PIPED: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
const SECRET = 'a secret for examples in tests, only'

/** What a program wrote last. */
function collect(child: ChildProcess): () => string {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)))
  }
  child.once('error', (error) => (said += error.message))
  return () => said
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/form`).then(
    async (response) => {
      await response.text()
      return true
    },
    () => false,
  )
}
