import type { IncomingMessage, ServerResponse } from 'node:http'
import { SessionError } from '../errors.ts'
import type { DefaultData } from '../session-data.ts'
import type { Session } from '../session.ts'
import type { HttpRequest } from './http-request.ts'
import { RequestHandler } from './request-handler.ts'
import { coreOf } from './response-handler.ts'
import { SessionAttachment, clientOf, visitOf } from './session-attachment.ts'
import type { AnySessionManager, Visit } from './session-attachment.ts'

/** Any class. The rest of type `any[]` is what TypeScript demands of a mixin. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Constructor<T = object> = abstract new (...args: any[]) => T

/** What `SessionMixin` adds to a class. */
export interface SessionMembers<Data extends object> {
  /** The session of this request; open from `prepare` on. */
  readonly session: Session<Data>
  /** Opens the session, unless it is open. A `RequestHandler` need not call it. */
  openSession(): Promise<Session<Data>>
}

/** What `NotificationMixin` adds to a class. */
export interface NotificationMembers {
  /** Messages to a later request of the same visitor, each delivered exactly once. */
  readonly notifications: Session['notifications']
}

/**
 * Gives a class of handlers a session. Over `RequestHandler` it is opened before `prepare` and stored
 * before the response leaves.
 *
 * Over any other class with a `request` and a `response` of node:http it is opened by `prepare()` (or
 * `openSession()`, to be awaited first), from when on nothing of the response leaves before the
 * session is stored. Such a class is given the manager: `SessionMixin(Base, sessions)`.
 *
 * @example
 * class IndexHandler extends SessionMixin(RequestHandler) {}
 * class CartHandler extends SessionMixin<{ cart: string[] }>()(RequestHandler) {}
 */
export function SessionMixin<B extends Constructor>(
  Base: B,
  sessions?: AnySessionManager,
): B & Constructor<SessionMembers<DefaultData>>
export function SessionMixin<Data extends object>(
  sessions?: AnySessionManager,
): <B extends Constructor>(Base: B) => B & Constructor<SessionMembers<Data>>
export function SessionMixin(
  first?: Constructor | AnySessionManager,
  second?: AnySessionManager,
): unknown {
  if (typeof first === 'function') return withSession(first, second)
  return (Base: Constructor) => withSession(Base, first)
}

/** Gives a class of handlers the notifications of its session; see `SessionMixin`. */
export function NotificationMixin<B extends Constructor>(
  Base: B,
  sessions?: AnySessionManager,
): B & Constructor<NotificationMembers> {
  abstract class WithNotifications extends withSession(Base, sessions) {
    get notifications(): Session['notifications'] {
      return sessionOf(this).notifications
    }
  }
  return WithNotifications as unknown as B & Constructor<NotificationMembers>
}

const ATTACHMENT = Symbol('sojourn.session')
const WITH_SESSION = Symbol('sojourn.with-session')

/** True if a handler of this class needs the session manager of its application. */
export function needsSession(handler: Constructor): boolean {
  return Reflect.get(handler, WITH_SESSION) === 'of the application'
}

function withSession(Base: Constructor, sessions: AnySessionManager | undefined): Constructor {
  // Both mixins on one class share one session.
  if (Reflect.get(Base, WITH_SESSION) !== undefined && sessions === undefined) return extended(Base)
  const Attached = isHandlerClass(Base) ? overHandler(Base, sessions) : overForeign(Base, sessions)
  const source = sessions === undefined ? 'of the application' : 'given'
  Object.defineProperty(Attached, WITH_SESSION, { value: source })
  return extended(Attached)
}

function extended(Base: Constructor): Constructor {
  abstract class WithSession extends Base {
    get session(): unknown {
      return sessionOf(this)
    }

    async openSession(): Promise<unknown> {
      await attachmentOf(this).open()
      return sessionOf(this)
    }
  }
  return WithSession
}

function overHandler(
  Base: Constructor<RequestHandler>,
  sessions: AnySessionManager | undefined,
): Constructor {
  abstract class SessionHandler extends Base {
    // oxlint-disable-next-line typescript/no-explicit-any
    constructor(...args: any[]) {
      super(...args)
      const manager = sessions ?? managerOf(this)
      const attachment = new SessionAttachment(manager, () => visitOfHandler(this.request))
      coreOf(this).participant = attachment
      attach(this, attachment)
    }

    override getCurrentUser(): unknown {
      return super.getCurrentUser() ?? sessionOf(this).user
    }
  }
  return SessionHandler
}

/** What is needed of a class that is no `RequestHandler`. */
interface ForeignHandler {
  readonly request?: IncomingMessage
  readonly response?: ServerResponse
  prepare?(...args: unknown[]): unknown
}

function overForeign(
  Base: Constructor<ForeignHandler>,
  sessions: AnySessionManager | undefined,
): Constructor {
  if (sessions === undefined) throw noManager()
  abstract class SessionHandler extends Base {
    // oxlint-disable-next-line typescript/no-explicit-any
    constructor(...args: any[]) {
      super(...args)
      const visit = (): Visit => {
        const { request, response } = nodePair(this)
        attachment.guard(response)
        return visitOf(request)
      }
      const attachment = new SessionAttachment(sessions as AnySessionManager, visit)
      attach(this, attachment)
    }

    override async prepare(...args: unknown[]): Promise<unknown> {
      await attachmentOf(this).open()
      return super.prepare?.(...args)
    }
  }
  return SessionHandler
}

function isHandlerClass(Base: Constructor): Base is Constructor<RequestHandler> {
  return Base.prototype instanceof RequestHandler || Base === RequestHandler
}

function attach(handler: object, attachment: SessionAttachment): void {
  Object.defineProperty(handler, ATTACHMENT, { value: attachment })
}

function attachmentOf(handler: object): SessionAttachment {
  return Reflect.get(handler, ATTACHMENT) as SessionAttachment
}

function sessionOf(handler: object): Session {
  return attachmentOf(handler).session as Session
}

function managerOf({ application }: RequestHandler): AnySessionManager {
  if (application.sessions !== undefined) return application.sessions
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'The application has no sessions: set pycket or sessions.',
  )
}

function visitOfHandler(request: HttpRequest): Visit {
  const { headers, remoteIp, protocol, host } = request
  const client = clientOf(headers['user-agent'], remoteIp)
  return { cookies: headers.cookie, info: { ...client, secure: protocol === 'https', host } }
}

function nodePair(handler: ForeignHandler): { request: IncomingMessage; response: ServerResponse } {
  const { request, response } = handler
  if (request !== undefined && response !== undefined) return { request, response }
  throw new SessionError(
    'ERR_SESSION_MISUSE',
    'SessionMixin needs a class with the properties request and response, those of node:http.',
  )
}

function noManager(): SessionError {
  return new SessionError(
    'ERR_SESSION_OPTION',
    'SessionMixin over a class that is no RequestHandler needs the manager: SessionMixin(Base, sessions).',
  )
}
