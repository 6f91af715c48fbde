import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { hold } from '../adapters/hold.ts'
import { SessionError } from '../errors.ts'
import type { RequestInfo } from '../manager.ts'
import type { HeaderLine, Participant } from './handler-core.ts'

/** Any `SessionManager`, whatever data its sessions have. */
export interface AnySessionManager {
  open(cookieHeader: string | undefined, request?: RequestInfo): Promise<object>
  commit(session: never): Promise<readonly HeaderLine[]>
  seal(session: never): void
  ready(): Promise<void>
  close(): Promise<void>
}

/** What a session is opened from. */
export interface Visit {
  readonly cookies: string | undefined
  readonly info: RequestInfo
}

/** The session of one handler, from its opening to the last thing that is stored of it. */
export class SessionAttachment implements Participant {
  readonly #manager: AnySessionManager
  readonly #visit: () => Visit
  #opening: Promise<object> | undefined
  #session: object | undefined
  #failure: unknown
  #abandoned = false

  constructor(manager: AnySessionManager, visit: () => Visit) {
    this.#manager = manager
    this.#visit = visit
  }

  /**
   * The session, once it was opened.
   *
   * @throws SessionError that the store failed with, or `ERR_SESSION_MISUSE` before it was opened
   */
  get session(): object {
    if (this.#session !== undefined) return this.#session
    if (this.#failure !== undefined) throw this.#failure
    throw new SessionError(
      'ERR_SESSION_MISUSE',
      'The session is not open yet. It is opened before prepare(); await openSession() to have it sooner.',
    )
  }

  async open(): Promise<void> {
    this.#opening ??= this.#open()
    await this.#opening
  }

  async commit(): Promise<readonly HeaderLine[]> {
    if (this.#session === undefined) return []
    if (this.#abandoned) return [['Vary', 'Cookie']]
    return this.#manager.commit(this.#session as never)
  }

  seal(): void {
    if (this.#session !== undefined) this.#manager.seal(this.#session as never)
  }

  async settle(): Promise<void> {
    if (this.#session !== undefined && !this.#abandoned) {
      await this.#manager.commit(this.#session as never)
    }
  }

  abandon(): void {
    this.#abandoned = true
  }

  /** For a response that others write: nothing of it leaves before the session is stored. */
  guard(response: ServerResponse): void {
    hold(response, {
      before: async () => {
        const lines = await this.commit()
        this.seal()
        return lines
      },
      after: () => this.settle(),
    })
  }

  async #open(): Promise<object> {
    const { cookies, info } = this.#visit()
    try {
      this.#session = await this.#manager.open(cookies, info)
      return this.#session
    } catch (error) {
      this.#failure = error
      throw error
    }
  }
}

/** What a request of node:http says of its client. */
export function visitOf({ headers, socket }: IncomingMessage): Visit {
  const { cookie, host } = headers
  return {
    cookies: cookie,
    info: {
      ...clientOf(headers['user-agent'], socket.remoteAddress),
      secure: socket instanceof TLSSocket,
      ...(host !== undefined && { host }),
    },
  }
}

/** What is kept of a client. */
export function clientOf(
  userAgent: string | undefined,
  address: string | undefined,
): Pick<RequestInfo, 'userAgent' | 'address'> {
  return {
    ...(userAgent !== undefined && { userAgent }),
    ...(address !== undefined && { address }),
  }
}
