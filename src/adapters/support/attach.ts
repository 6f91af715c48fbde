import type { RequestInfo, SessionManager } from '../../manager.ts'
import { hold } from '../hold.ts'
import type { NodeResponse } from '../hold.ts'
import { keeping } from './kept.ts'
import type { NodeRequest } from './node-request.ts'
import { RequestSession, sessionIn } from './request-session.ts'

/** What a framework adds to the request and the response of Node. */
export interface Surroundings {
  readonly info: () => RequestInfo
  /** Answers an error in the framework's way; see `GateHooks.fail`. */
  readonly fail?: ((error: unknown) => void) | undefined
}

/**
 * Joins a session to a request and its response, which is held until what the request did is stored. A
 * second call for the same request and manager answers the first one's.
 */
export function attachSession<Data extends object>(
  manager: SessionManager<Data>,
  request: NodeRequest,
  response: NodeResponse,
  { info, fail }: Surroundings,
): RequestSession<Data> {
  const kept = keeping(request)
  const present = sessionIn(kept, manager)
  if (present !== undefined) return present
  const attached = new RequestSession(manager, { cookie: () => request.headers.cookie, info })
  kept.session = attached
  guard(response, attached, fail)
  return attached
}

// Not only when the session is opened: `response.end(await view(request))` looks up `end` before.
function guard<Data extends object>(
  response: NodeResponse,
  attached: RequestSession<Data>,
  fail: ((error: unknown) => void) | undefined,
): void {
  if (response.headersSent) attached.seal()
  const [before, after] = [() => attached.release(), () => attached.after()]
  hold(response, fail === undefined ? { before, after } : { before, after, fail })
}
