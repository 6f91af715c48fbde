import { SessionError } from '../../errors.ts'
import type { RequestInfo, SessionManager } from '../../manager.ts'
import type { Session } from '../../session.ts'
import type { HeaderLine } from '../hold/response.ts'
import { keeping, keptOf } from './kept.ts'
import type { Kept } from './kept.ts'
import { LazyInfo } from './lazy-info.ts'
import { mergeLines } from './lines.ts'

type Lines = readonly HeaderLine[]

/** What is known of a request: the Cookie header when the session is opened, the rest when it is needed. */
export interface Visit {
  readonly cookie: () => string | undefined
  readonly info: () => RequestInfo
}

/** The session of one request, from its opening to the last change that is stored. */
export class RequestSession<Data extends object> {
  readonly manager: SessionManager<Data>
  readonly #visit: Visit
  #opening: Promise<Session<Data>> | undefined
  #session: Session<Data> | undefined
  #lines: Lines = []
  #committing: Promise<unknown> | undefined
  #failed = false
  #sealed = false

  constructor(manager: SessionManager<Data>, visit: Visit) {
    this.manager = manager
    this.#visit = visit
  }

  /** Opens the session, the first time; then answers the same one. */
  async open(): Promise<Session<Data>> {
    return this.openNow()
  }

  /** The same, without a promise if nothing has to be waited for. */
  openNow(): Session<Data> | Promise<Session<Data>> {
    return this.#session ?? this.#opening ?? this.#open()
  }

  /** @throws SessionError `ERR_SESSION_MISUSE` before it is opened */
  get session(): Session<Data> {
    if (this.#session !== undefined) return this.#session
    throw new SessionError(
      'ERR_SESSION_MISUSE',
      'The session of this request has not been opened: it is lazy. Use await getSession(request).',
    )
  }

  /** True if what is set after the headers can still be stored; it may be, too, if it was not opened yet. */
  get mayGoOn(): boolean {
    return this.#session?.established !== false
  }

  /**
   * Stores what the request did so far, and answers all headers that are to be appended. Of two calls
   * at once the second waits for the first: what both would store is stored once.
   */
  commit(): Lines | Promise<Lines> {
    if (this.#committing !== undefined) return this.#committing.then(() => this.commit())
    if (this.#session === undefined || this.#failed) return this.#lines
    try {
      const lines = this.manager.commitNow(this.#session)
      return lines instanceof Promise ? this.#wait(lines) : this.#add(lines)
    } catch (error) {
      this.#failed = true
      throw error
    }
  }

  /** The same, when the headers are about to leave: from now on the cookie cannot be changed. */
  release(): Lines | Promise<Lines> {
    if (this.#committing !== undefined) return this.#committing.then(() => this.release())
    const lines = this.commit()
    this.seal()
    return lines
  }

  /** From now on the cookie cannot be changed, whether the session was opened or will be. */
  seal(): void {
    this.#sealed = true
    if (this.#session !== undefined) this.manager.seal(this.#session)
  }

  /** Stores what came after the headers; undefined if nothing did. A failure is also a warning. */
  after(): Promise<void> | undefined {
    try {
      const lines = this.commit()
      return lines instanceof Promise ? lines.then(ignore, fail) : undefined
    } catch (error) {
      return Promise.reject(error).catch(fail)
    }
  }

  #open(): Session<Data> | Promise<Session<Data>> {
    const { cookie, info } = this.#visit
    const opening = this.manager.openNow(cookie(), new LazyInfo(info))
    if (!(opening instanceof Promise)) return this.#opened(opening)
    this.#opening = opening.then((session) => this.#opened(session))
    return this.#opening
  }

  #opened(session: Session<Data>): Session<Data> {
    this.#session = session
    if (this.#sealed) this.manager.seal(session)
    return session
  }

  #wait(storing: Promise<Lines>): Promise<Lines> {
    const committing = storing.then(
      (lines) => {
        this.#committing = undefined
        return this.#add(lines)
      },
      (error: unknown) => {
        this.#committing = undefined
        this.#failed = true
        throw error
      },
    )
    this.#committing = committing
    return committing
  }

  #add(lines: Lines): Lines {
    this.#lines = mergeLines(this.#lines, lines)
    return this.#lines
  }
}

function ignore(): void {}

// The response has begun, so that no error page can say it.
function fail(error: unknown): never {
  process.emitWarning(error instanceof Error ? error : String(error))
  throw error
}

/** Keeps the session of a request with the request itself. */
export function keepWith<Data extends object>(
  request: object,
  requestSession: RequestSession<Data>,
): RequestSession<Data> {
  keeping(request).session = requestSession
  return requestSession
}

/** The session that was kept with a request, if it belongs to this manager. */
export function keptWith<Data extends object>(
  request: object,
  manager: SessionManager<Data>,
): RequestSession<Data> | undefined {
  const kept = keptOf(request)
  return kept && sessionIn(kept, manager)
}

/** The same, in what was kept with a request. */
export function sessionIn<Data extends object>(
  { session }: Kept,
  manager: SessionManager<Data>,
): RequestSession<Data> | undefined {
  const ours = session instanceof RequestSession && session.manager === manager
  return ours ? (session as RequestSession<Data>) : undefined
}

/** The function `getSession` of every adapter. */
export interface GetSession<Request extends object> {
  /**
   * The session of a request; with `lazy` it is opened by the first call. Given the manager, the
   * session has its data type.
   *
   * @throws SessionError `ERR_SESSION_MISUSE` if `session(manager)` does not apply to this request
   * @throws SessionError with status 503 if the store fails
   */
  (request: Request): Promise<Session>
  <Data extends object>(request: Request, manager: SessionManager<Data>): Promise<Session<Data>>
}

/**
 * `getSession` for requests of a framework.
 *
 * @param hostOf - the object that the session was kept with
 */
export function sessionGetter<Request extends object>(
  hostOf: (request: Request) => object,
): GetSession<Request> {
  return (request: Request, manager?: object) => {
    const kept = keptOf(hostOf(request))?.session
    const fits = kept instanceof RequestSession && (manager ?? kept.manager) === kept.manager
    return fits ? kept.open() : Promise.reject(noSession())
  }
}

/** The error of a request that has no session. */
export function noSession(): SessionError {
  return new SessionError(
    'ERR_SESSION_MISUSE',
    'No session belongs to this request. Put session(manager) before this handler, and see that skip does not apply.',
  )
}
