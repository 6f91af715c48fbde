import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { SessionError } from '../errors.ts'
import type { SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import { Admissions } from './websocket/admission.ts'
import { Attendance } from './websocket/attendance.ts'
import { Connection } from './websocket/connection.ts'
import { closingOf } from './websocket/end.ts'
import type { Closing } from './websocket/end.ts'
import type { Valve } from './websocket/gate.ts'
import { LiveSession } from './websocket/live-session.ts'
import { resolveRules } from './websocket/options.ts'
import type { Rules, WebSocketOptions } from './websocket/options.ts'
import { closeSocketIo, connectError, whenLeft } from './websocket/socket-io.ts'
import type { SocketIoMiddleware, SocketIoSocket } from './websocket/socket-io.ts'
import { closeSocket, intercept, quietly, refuseUpgrade, valveOf } from './websocket/ws.ts'
import type { WsServer, WsSocket } from './websocket/ws.ts'

export type { EndReason } from './websocket/end.ts'
export type { LiveSession } from './websocket/live-session.ts'
export type { Refusal, WebSocketOptions } from './websocket/options.ts'
export type { SocketIoMiddleware, SocketIoSocket } from './websocket/socket-io.ts'
export type { WsServer, WsSocket } from './websocket/ws.ts'

/** What `server.on('upgrade', …)` takes. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** The live connections of one manager in this process. */
export interface LiveSessions<Data extends object> {
  /**
   * Admits connections to a `WebSocketServer` of `ws` that was made with `noServer: true`: who may
   * connect, with which session, is known before the answer to the upgrade. The server emits
   * `connection` with the socket, the request and the live session.
   *
   * @param onConnection - gets the same, with their types
   */
  upgrade<Socket extends WsSocket>(
    server: WsServer<Socket>,
    onConnection?: (socket: Socket, request: IncomingMessage, session: LiveSession<Data>) => void,
  ): UpgradeListener
  /**
   * A middleware for a namespace of socket.io: `socket.session` is the live session then. A client that
   * is refused gets `connect_error` with `error.data.status`; one whose session ends gets the event
   * `session:end` with `{ code, reason }` before it is disconnected.
   */
  socketio<Socket extends SocketIoSocket>(): SocketIoMiddleware<Socket>
  /** How many connections with a session are open. */
  readonly size: number
  /** Closes every connection that has a session, with code 1001. Call it before the manager is closed. */
  close(): Promise<void>
}

/**
 * Sessions for connections that stay: `ws` and socket.io. Whose Origin is foreign is refused; a
 * connection is closed within a second when its session ends, in whichever process that happens.
 *
 * @example
 * const live = session(sessions)
 * server.on('upgrade', live.upgrade(new WebSocketServer({ noServer: true }), (socket, request, session) => {
 *   socket.on('message', async () => {
 *     const views = await session.edit((stored) => stored.increment('views'))
 *     socket.send(`view ${views}`)
 *   })
 * }))
 *
 * @throws SessionError `ERR_SESSION_OPTION`
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: WebSocketOptions = {},
): LiveSessions<Data> {
  return new Joined(manager, resolveRules(options))
}

/**
 * The live session of a socket of `ws` or socket.io. Given the manager, it has its data type.
 *
 * @throws SessionError `ERR_SESSION_MISUSE` if the socket was not admitted by `session(manager)`
 */
export function getSession(socket: object): LiveSession
export function getSession<Data extends object>(
  socket: object,
  manager: SessionManager<Data>,
): LiveSession<Data>
export function getSession(socket: object, manager?: object): unknown {
  const kept: unknown = Reflect.get(socket, SLOT)
  if (kept instanceof Kept && (manager ?? kept.manager) === kept.manager) return kept.session
  throw new SessionError(
    'ERR_SESSION_MISUSE',
    'No session belongs to this socket. Admit it with upgrade() or socketio() of session(manager).',
  )
}

const SLOT = Symbol('sojourn.live-session')

/** What is kept with a socket. */
class Kept {
  readonly manager: object
  readonly session: object

  constructor(manager: object, session: object) {
    this.manager = manager
    this.session = session
  }
}

class Joined<Data extends object> implements LiveSessions<Data> {
  readonly #manager: SessionManager<Data>
  readonly #rules: Rules
  readonly #admissions: Admissions<Data>
  readonly #attendance: Attendance

  constructor(manager: SessionManager<Data>, rules: Rules) {
    this.#manager = manager
    this.#rules = rules
    this.#admissions = new Admissions(manager, rules)
    this.#attendance = new Attendance(manager, rules.every)
  }

  get size(): number {
    return this.#attendance.size
  }

  close(): Promise<void> {
    return this.#attendance.close()
  }

  upgrade<Socket extends WsSocket>(
    server: WsServer<Socket>,
    onConnection?: (socket: Socket, request: IncomingMessage, session: LiveSession<Data>) => void,
  ): UpgradeListener {
    return (request, stream, head) => {
      void quietly(stream, () => this.#admissions.admit(request)).then((admission) => {
        if (stream.destroyed) return
        if (admission.kind === 'refused') return refuseUpgrade(stream, admission.refusal.status)
        server.handleUpgrade(request, stream, head, (socket) => {
          const live = this.#joinWs(socket, admission.session)
          server.emit('connection', socket, request, live)
          onConnection?.(socket, request, live)
        })
      })
    }
  }

  socketio<Socket extends SocketIoSocket>(): SocketIoMiddleware<Socket> {
    return (socket, next) => void this.#letIn(socket, next)
  }

  async #letIn(socket: SocketIoSocket, next: (error?: Error) => void): Promise<void> {
    const admission = await this.#admissions.admitAgain(socket.request)
    if (admission.kind === 'refused') return next(connectError(admission.refusal))
    this.#joinSocketIo(socket, admission.session)
    next()
  }

  #joinWs(socket: WsSocket, opened: Session<Data>): LiveSession<Data> {
    const close = (closing: Closing) => closeSocket(socket, closing)
    const connection = this.#connect(opened, close, valveOf(socket))
    intercept(socket, {
      message: (deliver) => connection.message(deliver),
      closed: (last) => connection.closed(last),
    })
    return this.#keep(socket, opened, connection)
  }

  #joinSocketIo(socket: SocketIoSocket, opened: Session<Data>): void {
    const connection = this.#connect(opened, (closing) => closeSocketIo(socket, closing))
    socket.use((_event, next) => connection.message(next))
    whenLeft(socket, () => connection.closed(() => undefined))
    const live = this.#keep(socket, opened, connection)
    Object.defineProperty(socket, 'session', { value: live, configurable: true })
  }

  #connect(opened: Session<Data>, close: (closing: Closing) => void, valve?: Valve): Connection {
    const { closeCode, keepAlive, checkMessages } = this.#rules
    return new Connection(opened, {
      attendance: this.#attendance,
      close: (reason) => close(closingOf(reason, closeCode)),
      ...(valve !== undefined && { valve }),
      keepAlive,
      checkMessages,
    })
  }

  #keep(socket: object, opened: Session<Data>, connection: Connection): LiveSession<Data> {
    const live = new LiveSession(this.#manager, opened, connection)
    Object.defineProperty(socket, SLOT, { value: new Kept(this.#manager, live) })
    return live
  }
}
