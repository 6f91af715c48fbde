import {
  Injectable,
  Module,
  RequestMethod,
  UnauthorizedException,
  createParamDecorator,
} from '@nestjs/common'
import type {
  CallHandler,
  CanActivate,
  DynamicModule,
  ExecutionContext,
  MiddlewareConsumer,
  NestInterceptor,
} from '@nestjs/common'
import { concatMap } from 'rxjs'
import type { Observable } from 'rxjs'
import type { RequestInfo, SessionManager } from '../manager.ts'
import type { DefaultData } from '../session-data.ts'
import type { Session as SessionOf } from '../session.ts'
import type { NodeResponse } from './hold.ts'
import { attachSession } from './support/attach.ts'
import { showOnRequest } from './support/inherited-property.ts'
import { connectionInfo, infoOf } from './support/node-request.ts'
import type { NodeRequest } from './support/node-request.ts'
import { openThen } from './support/open-then.ts'
import { checkOptions } from './support/options.ts'
import type { AdapterOptions } from './support/options.ts'
import { keptWith, sessionGetter } from './support/request-session.ts'
import type { GetSession } from './support/request-session.ts'

/** What a middleware of Nest gets: the request of Express, or that of Node below Fastify. */
export interface NestRequest extends NodeRequest {
  /** Only Express has it. */
  readonly app?: unknown
  readonly ip?: string | undefined
  readonly secure?: boolean | undefined
  readonly hostname?: string | undefined
  readonly method?: string | undefined
  /** Path and query as they came. */
  readonly originalUrl?: string | undefined
}

/** How sessions are joined to the requests of Nest. */
export interface NestOptions extends AdapterOptions<NestRequest> {
  /**
   * Set this when Nest runs on Fastify behind a proxy: what is known of a request beyond its connection.
   * On Express `trust proxy` says it.
   */
  readonly info?: (request: NestRequest) => RequestInfo
}

/**
 * A module of Nest 12, on Express or Fastify, that gives every route a session. An error of the store
 * goes to the exception filters, with status 503.
 *
 * @example
 * @Module({ imports: [session(sessions)], controllers: [AppController] })
 * class AppModule {}
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: NestOptions = {},
): DynamicModule {
  checkOptions(options, ['info'])
  class SessionModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer
        .apply(middleware(manager, options))
        .forRoutes({ path: '{*path}', method: RequestMethod.ALL })
    }
  }
  Module({})(SessionModule)
  const interceptor: NestInterceptor = { intercept: storing(manager) }
  return {
    module: SessionModule,
    providers: [{ provide: 'APP_INTERCEPTOR', useValue: interceptor }],
  }
}

/**
 * The session of the request, as a parameter of a route.
 *
 * @example
 * @Get() index(@Session() session: Session) { return session.get('login') }
 */
export const Session: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => getSession(requestOf(context)),
)
/** The type of that parameter. */
export type Session<Data extends object = DefaultData> = SessionOf<Data>

/**
 * Lets a request pass if somebody is logged in; else it is answered with 401.
 *
 * @example
 * @UseGuards(SessionGuard) @Get('account') account(@Session() session: Session) { … }
 */
export class SessionGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { user } = await getSession(requestOf(context))
    if (user === undefined) throw new UnauthorizedException()
    return true
  }
}
Injectable()(SessionGuard)

/** The session of a request that `session(manager)` was imported for, on Express or Fastify. */
export const getSession: GetSession<object> = sessionGetter(nodeRequestOf)

function requestOf(context: ExecutionContext): object {
  return context.switchToHttp().getRequest<object>()
}

// A request of Fastify has that of Node in `raw`.
function nodeRequestOf(request: object): object {
  const raw: unknown = Reflect.get(request, 'raw')
  return typeof raw === 'object' && raw !== null ? raw : request
}

function middleware<Data extends object>(manager: SessionManager<Data>, options: NestOptions) {
  return (
    request: NestRequest,
    response: NodeResponse,
    next: (error?: unknown) => void,
  ): void | Promise<void> => {
    if (options.skip?.(request) === true) return next()
    const info = () => ({ ...infoOfRequest(request), ...options.info?.(request) })
    const fail = request.app === undefined ? undefined : next
    const attached = attachSession(manager, request, response, { info, fail })
    showOnRequest(request, attached)
    if (options.lazy === true) return next()
    return openThen(attached, next)
  }
}

// What a route did is stored before its answer is sent, so that the exception filters answer an error.
function storing<Data extends object>(manager: SessionManager<Data>) {
  return (context: ExecutionContext, route: CallHandler): Observable<unknown> => {
    const kept =
      context.getType() === 'http'
        ? keptWith(nodeRequestOf(requestOf(context)), manager)
        : undefined
    if (kept === undefined) return route.handle()
    return route.handle().pipe(
      concatMap(async (answer: unknown) => {
        await kept.commit()
        return answer
      }),
    )
  }
}

function infoOfRequest(request: NestRequest): RequestInfo {
  const { ip, secure, hostname } = request
  return { ...connectionInfo(request), ...infoOf({ address: ip, secure, host: hostname }) }
}
