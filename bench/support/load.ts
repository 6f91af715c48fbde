import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onOtherCore } from './cpus.ts'
import type { Subject } from './subject.ts'

const AT_ONCE = 8
const SCRIPT = fileURLToPath(new URL('../subjects/load.lua', import.meta.url))

/** What wrk saw of one burst of requests. Times in microseconds. */
export interface Burst {
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What a burst is made of. */
export interface Load {
  readonly path: string
  readonly connections: number
  /** It ends after that many requests, */
  readonly requests: number
  /** or after that many milliseconds. */
  readonly milliseconds: number
}

/** Cookies of sessions that are alive, one for each visitor. */
export class Visitors {
  readonly cookies: readonly string[]
  readonly #file: string

  private constructor(cookies: readonly string[], file: string) {
    this.cookies = cookies
    this.#file = file
  }

  /** Begins that many sessions with about `bytes` of values each. */
  static async begin(subject: Subject, bytes: number, count: number): Promise<Visitors> {
    const cookies: string[] = []
    while (cookies.length < count) {
      const batch = Array.from({ length: Math.min(AT_ONCE, count - cookies.length) })
      cookies.push(...(await Promise.all(batch.map(() => cookieOf(subject, `/begin/${bytes}`)))))
    }
    const file = join(tmpdir(), `bench-${process.pid}-${subject.name}-${bytes}.cookies`)
    await writeFile(file, `${cookies.join('\n')}\n`)
    return new Visitors(cookies, file)
  }

  /** Sends requests, each connection the next when the last one was answered. */
  async burst(
    subject: Subject,
    { path, connections, requests, milliseconds }: Load,
  ): Promise<Burst> {
    const options = [
      '-t1',
      `-c${connections}`,
      `-d${Math.ceil(milliseconds / 1000) + 5}s`,
      '--timeout',
      '10s',
      '-s',
      SCRIPT,
    ]
    const limits = [`${requests}`, `${milliseconds}`]
    const wrk = ['wrk', ...options, subject.url(path), '--', path, this.#file, ...limits]
    const [program = '', ...args] = onOtherCore(wrk)
    const { stdout } = await promisify(execFile)(program, args, {
      timeout: milliseconds + 30_000,
    })
    const { errors, ...burst } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    if (errors > 0 || burst.requests === 0) throw new Error(`${subject.name} ${path}: ${stdout}`)
    return burst
  }

  async end(): Promise<void> {
    await rm(this.#file, { force: true })
  }
}

async function cookieOf(subject: Subject, path: string): Promise<string> {
  const response = await fetch(subject.url(path))
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  if (response.status !== 200 || cookies.length === 0) {
    throw new Error(
      `${subject.name}: ${path} answered ${response.status}, ${cookies.length} cookies`,
    )
  }
  await checkRead(subject, cookies.join('; '))
  return cookies.join('; ')
}

// What is measured has to work.
async function checkRead(subject: Subject, cookie: string): Promise<void> {
  const response = await fetch(subject.url('/read'), { headers: { cookie } })
  const text = await response.text()
  if (response.status === 200 && text === 'alice') return
  throw new Error(`${subject.name}: /read answered ${response.status} '${text.slice(0, 80)}'`)
}
