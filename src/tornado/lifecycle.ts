import { ClientGone } from './body.ts'
import type { HandlerCore } from './handler-core.ts'
import { HttpError } from './http-error.ts'
import type { RequestHandler } from './request-handler.ts'
import { coreOf } from './response-handler.ts'
import type { PathArguments } from './routes.ts'

/** What a request runs through, beside its handler. */
export interface Course {
  /** The third element of the route. */
  readonly options: Readonly<Record<string, unknown>>
  /** The groups of the route; throws if they cannot be decoded. */
  readonly pathArguments: () => PathArguments
  /** Bytes that the body may have. */
  readonly maxBodySize: number
}

const VERBS: readonly string[] = ['get', 'head', 'post', 'put', 'delete', 'patch', 'options']
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Runs one request from its first to its last step. Never throws. */
export async function runRequest(handler: RequestHandler, course: Course): Promise<HandlerCore> {
  const core = coreOf(handler)
  try {
    core.clear()
    handler.initialize(course.options)
    await answer(handler, core, course)
  } catch (error) {
    if (error instanceof ClientGone) return abandoned(core)
    await openQuietly(core)
    core.fail(error)
  }
  await core.delivered
  await end(handler, core)
  return core
}

async function answer(handler: RequestHandler, core: HandlerCore, course: Course): Promise<void> {
  const { request } = handler
  if (!VERBS.includes(request.method.toLowerCase())) throw new HttpError(405)
  await request.receive(course.maxBodySize)
  const groups = course.pathArguments()
  await core.participant?.open()
  if (handler.settings.xsrfCookies === true && !SAFE.has(request.method)) handler.checkXsrfCookie()
  await handler.prepare()
  if (!core.finished) await callVerb(handler, groups)
  if (!core.finished) await handler.finish()
}

async function callVerb(handler: RequestHandler, groups: PathArguments): Promise<void> {
  const verb = verbOf(handler, handler.request.method)
  if (verb !== undefined) return void (await verb.apply(handler, [...groups]))
  // RFC 9110, 15.5.6: the answer names the methods that there are.
  const allowed = VERBS.map((name) => name.toUpperCase()).filter((name) => verbOf(handler, name))
  throw new HttpError(405, undefined, { headers: { Allow: allowed.join(', ') } })
}

type VerbMethod = (...groups: unknown[]) => unknown

// Verbs are not declared in RequestHandler: so a program writes `get()`, not `override get()`.
function verbOf(handler: RequestHandler, method: string): VerbMethod | undefined {
  const found: unknown = Reflect.get(handler, method.toLowerCase())
  return typeof found === 'function' ? (found as VerbMethod) : undefined
}

// Nobody is there to answer: there is only the log entry.
function abandoned(core: HandlerCore): HandlerCore {
  core.message = 'the client went away before its request was complete'
  core.output.setStatus(400, undefined)
  return core
}

// So that an error page can show who is logged in; without an answer of the store it goes without.
async function openQuietly(core: HandlerCore): Promise<void> {
  try {
    await core.participant?.open()
  } catch {
    // What the session has to say is thrown again when it is used.
  }
}

async function end(handler: RequestHandler, core: HandlerCore): Promise<void> {
  try {
    await handler.onFinish()
  } catch (error) {
    core.errors.push(error)
  }
  await core.settle()
}
