import type { HeaderLine } from '../../src/cookie-lines.ts'
import type { RequestInfo, SessionManager } from '../../src/manager.ts'
import type { Session } from '../../src/session.ts'

type Handler<T> = (session: Session) => T | Promise<T>

/** What one request led to. */
export interface Visit<T> {
  readonly result: T
  readonly headers: readonly HeaderLine[]
  readonly setCookie: string | undefined
}

/** A client of a manager, with a cookie of its own, without HTTP between them. */
export class Visitor {
  cookie: string | undefined
  readonly #manager: SessionManager

  constructor(manager: SessionManager, cookie?: string) {
    this.#manager = manager
    this.cookie = cookie
  }

  /** One whole request: open, handler, commit; the cookie is kept as a browser would. */
  async request<T>(handler: Handler<T>, info?: RequestInfo): Promise<Visit<T>> {
    const session = await this.#manager.open(this.cookie, info)
    const result = await handler(session)
    return this.#answer(result, await this.#manager.commit(session))
  }

  /** Opens now and commits when `finish` is called: a request that is under way meanwhile. */
  async begin(): Promise<{
    session: Session
    finish: () => Promise<Visit<undefined>>
  }> {
    const session = await this.#manager.open(this.cookie)
    const finish = async () => this.#answer(undefined, await this.#manager.commit(session))
    return { session, finish }
  }

  #answer<T>(result: T, headers: readonly HeaderLine[]): Visit<T> {
    const lines = headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)
    if (lines.length > 1) throw new Error('more than one Set-Cookie')
    const setCookie = lines[0]
    if (setCookie !== undefined) this.cookie = kept(setCookie)
    return { result, headers, setCookie }
  }
}

function kept(setCookie: string): string | undefined {
  return setCookie.includes('Max-Age=0') ? undefined : setCookie.split(';', 1)[0]
}
