import { afterAll } from 'vitest'
import { Application } from '../../src/tornado/index.ts'
import type { LogEntry, Route, Settings } from '../../src/tornado/index.ts'
import { Browser } from './browser.ts'

/** An application that listens on a free port until its test file has ended. */
export interface Running {
  readonly app: Application
  readonly url: string
  readonly port: number
  /** Every request that has ended. */
  readonly log: LogEntry[]
  /** A browser profile that has never been here. */
  readonly visitor: (headers?: Record<string, string>) => Browser
  /** Resolves with the log entry of the request that ends next. */
  readonly nextEntry: () => Promise<LogEntry>
}

export const SECRET = 'a secret for tests, of no less than 32 bytes'

const running = new Set<Application>()

afterAll(async () => {
  await Promise.all([...running].map((app) => app.close()))
})

/** Sessions in memory, for handlers that need some. */
export const IN_MEMORY: Settings = { cookieSecret: SECRET, pycket: { engine: 'memory' } }

export async function run(routes: readonly Route[], settings: Settings = {}): Promise<Running> {
  const log: LogEntry[] = []
  const waiting: ((entry: LogEntry) => void)[] = []
  const logFunction = (entry: LogEntry): void => {
    log.push(entry)
    waiting.shift()?.(entry)
  }
  const app = new Application(routes, { logFunction, ...settings })
  running.add(app)
  const { port } = await app.listen(0, '127.0.0.1')
  const url = `http://localhost:${port}`
  return {
    app,
    url,
    port,
    log,
    visitor: (headers) => new Browser(url, headers),
    nextEntry: () => new Promise((resolve) => waiting.push(resolve)),
  }
}
