import type { Burst, Generator, Job } from './generator.ts'
import type { Subject } from './subject.ts'

const AT_ONCE = 8

/** What a burst is made of. */
export type Load = Omit<Job, 'port' | 'cookies'>

/** Cookies of sessions that are alive, one for each visitor. */
export class Visitors {
  readonly cookies: readonly string[]

  private constructor(cookies: readonly string[]) {
    this.cookies = cookies
  }

  /** Begins that many sessions with about `bytes` of values each. */
  static async begin(subject: Subject, bytes: number, count: number): Promise<Visitors> {
    const cookies: string[] = []
    while (cookies.length < count) {
      const batch = Array.from({ length: Math.min(AT_ONCE, count - cookies.length) })
      cookies.push(...(await Promise.all(batch.map(() => cookieOf(subject, `/begin/${bytes}`)))))
    }
    return new Visitors(cookies)
  }

  /**
   * Sends their requests.
   *
   * @param connected - called when the connections are there, before the first request
   * @throws Error if one is not answered as it should be
   */
  async burst(
    generator: Generator,
    { name, port }: Subject,
    load: Load,
    connected?: () => Promise<void>,
  ): Promise<Burst> {
    const burst = await generator.run({ port, cookies: this.cookies, ...load }, connected)
    if (burst.errors === 0 && burst.requests > 0) return burst
    throw new Error(`${name} ${load.path}: ${JSON.stringify(burst)}`)
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
