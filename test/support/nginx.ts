import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { connect } from 'node:net'
import { freePort } from './redis.ts'

const READY_WITHIN = 10_000
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`

/** A process behind nginx. */
export interface Upstream {
  readonly port: number
  /** No request is sent to it. */
  readonly down?: boolean
}

/**
 * Starts a real nginx on a free port of 127.0.0.1, with TLS and a certificate of its own for
 * localhost.
 *
 * @param config - a file of settings that listens on 127.0.0.1:8443 and includes `upstreams.conf`
 */
export async function startNginx(config: string, upstreams: readonly Upstream[]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-nginx-'))
  // Workers run as another user.
  await chmod(folder, 0o755)
  await mkdir(join(folder, 'temp'))
  const port = await freePort()
  const settings = await readFile(config, 'utf8')
  await writeFile(
    join(folder, 'nginx.conf'),
    settings.replace('127.0.0.1:8443', `127.0.0.1:${port}`),
  )
  const nginx = new Nginx(folder, port, await certificate(folder))
  await nginx.start(upstreams)
  return nginx
}

/** An nginx that belongs to one test file. It dies with the process that started it. */
export class Nginx {
  readonly port: number
  /** The certificate that clients have to trust, as PEM. */
  readonly certificate: string
  readonly #folder: string
  readonly #killAtExit = (): void => void this.#child?.kill('SIGTERM')
  #child: ChildProcess | undefined
  #log = ''

  /** Use {@link startNginx}. */
  constructor(folder: string, port: number, certificate: string) {
    this.#folder = folder
    this.port = port
    this.certificate = certificate
  }

  /** What it has written to its log. */
  get log(): string {
    return this.#log
  }

  async start(upstreams: readonly Upstream[]): Promise<void> {
    await this.#write(upstreams)
    const args = ['-p', this.#folder, '-c', 'nginx.conf', '-e', 'stderr']
    const child = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH } })
    this.#child = child
    process.once('exit', this.#killAtExit)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
    let ended = false
    child.once('exit', () => (ended = true))
    child.once('error', (error) => {
      ended = true
      this.#log += error.message
    })
    for (let waited = 0; !(await this.#answers()); waited += 20) {
      if (ended || waited > READY_WITHIN) throw new Error(`nginx did not start: ${this.#log}`)
      await sleep(20)
    }
  }

  /** Sends requests to these processes from now on; resolves when no worker knows others. */
  async route(upstreams: readonly Upstream[]): Promise<void> {
    await this.#write(upstreams)
    const before = new Set(await this.#workers())
    this.#child?.kill('SIGHUP')
    for (let waited = 0; waited < READY_WITHIN; waited += 20) {
      const now = await this.#workers()
      if (now.length > 0 && !now.some((worker) => before.has(worker))) return
      await sleep(20)
    }
    throw new Error(`nginx did not reload: ${this.#log}`)
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    process.removeListener('exit', this.#killAtExit)
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #write(upstreams: readonly Upstream[]): Promise<void> {
    const lines = upstreams.map(({ port, down }) => {
      return `server 127.0.0.1:${port}${down === true ? ' down' : ''};\n`
    })
    await writeFile(join(this.#folder, 'upstreams.conf'), lines.join(''))
  }

  /** The process ids of the workers. */
  async #workers(): Promise<string[]> {
    const master = `${this.#child?.pid}`
    const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const parents = await Promise.all(processes.map(parentOf))
    return processes.filter((_, index) => parents[index] === master)
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1')
      const settle = (answers: boolean): void => {
        socket.destroy()
        resolve(answers)
      }
      socket.once('connect', () => settle(true))
      socket.once('error', () => settle(false))
    })
  }
}

async function parentOf(pid: string): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return /^PPid:\s+(\d+)/m.exec(status)?.[1]
}

/** Makes a certificate for localhost that nobody has signed, and answers it. */
async function certificate(folder: string): Promise<string> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const files = ['-keyout', join(folder, 'tls.key'), '-out', join(folder, 'tls.crt')]
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...names, '-days', '2', ...files])
  return readFile(join(folder, 'tls.crt'), 'utf8')
}
