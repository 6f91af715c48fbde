import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { SessionManager } from '../manager.ts'
import type { Session } from '../session.ts'
import { attachSession } from './support/attach.ts'
import { infoOf } from './support/node-request.ts'
import { checkOptions } from './support/options.ts'
import { openThen } from './support/open-then.ts'
import type { AdapterOptions } from './support/options.ts'
import { keptWith, noSession, sessionGetter } from './support/request-session.ts'
import type { GetSession, RequestSession } from './support/request-session.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The session of this request. */
    session: Session
  }
}

/** How sessions are joined to the requests of Fastify. */
export interface FastifyOptions extends AdapterOptions<FastifyRequest> {
  /**
   * Set this when only the routes of the plugin that registers the sessions shall have them.
   * @default false
   */
  readonly encapsulate?: boolean
}

/**
 * Sessions for Fastify 5, as `request.session`. An error of the store goes to the error handler of the
 * route, with status 503. The client's address and protocol are what `trustProxy` says.
 *
 * @example
 * await app.register(session(sessions))
 * app.get('/', async (request) => `view ${request.session.increment('views')}`)
 */
export function session<Data extends object>(
  manager: SessionManager<Data>,
  options: FastifyOptions = {},
): FastifyPluginAsync {
  checkOptions(options, ['encapsulate'])
  const plugin: FastifyPluginAsync = async (app) => {
    app.decorateRequest('session', {
      getter() {
        return openedFor(this, manager)
      },
    })
    app.addHook('onRequest', (request, reply, done) => {
      if (options.skip?.(request) === true) return done()
      const attached = attachTo(request, reply, manager)
      if (options.lazy === true) return done()
      void openThen(attached, (error) => done(error as Error | undefined))
    })
    app.addHook('onSend', (request, _reply, payload, done) => {
      const storing = keptWith(request.raw, manager)?.commit()
      if (!(storing instanceof Promise)) return done(null, payload)
      void storedThen(storing, () => done(null, payload), done)
    })
  }
  return Object.assign(plugin, options.encapsulate === true ? {} : GLOBAL, PLUGIN)
}

/** The session of a request that `session(manager)` was registered for. */
export const getSession: GetSession<Pick<FastifyRequest, 'raw'>> = sessionGetter(({ raw }) => raw)

// What fastify-plugin sets: the hooks apply to everything that is registered beside the plugin.
const GLOBAL = { [Symbol.for('skip-override')]: true }
const PLUGIN = { [Symbol.for('plugin-meta')]: { name: 'sojourn', fastify: '5.x' } }

function attachTo<Data extends object>(
  request: FastifyRequest,
  reply: FastifyReply,
  manager: SessionManager<Data>,
): RequestSession<Data> {
  return attachSession(manager, request.raw, reply.raw, {
    info: () => infoOfRequest(request),
    fail: (error) => logAndThrow(request, error),
  })
}

async function storedThen(
  storing: Promise<unknown>,
  next: () => void,
  fail: (error: Error) => void,
): Promise<void> {
  try {
    await storing
  } catch (error) {
    return fail(error as Error)
  }
  next()
}

// Only a hijacked reply comes here: errors of all others have gone to the error handler by then.
function logAndThrow(request: FastifyRequest, error: unknown): never {
  request.log.error(error)
  throw error
}

function openedFor<Data extends object>(
  request: FastifyRequest,
  manager: SessionManager<Data>,
): Session {
  const kept = keptWith(request.raw, manager)
  if (kept === undefined) throw noSession()
  // The data type of the property is the one that is declared, whatever the manager was given.
  return kept.session as unknown as Session
}

function infoOfRequest({ ip, protocol, host, headers }: FastifyRequest) {
  return infoOf({
    address: ip,
    secure: protocol === 'https',
    host,
    userAgent: headers['user-agent'],
  })
}
