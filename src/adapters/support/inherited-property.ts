import { IncomingMessage } from 'node:http'
import { SessionError } from '../../errors.ts'
import { lastBefore } from './inheritance.ts'
import { keeping, keptOf } from './kept.ts'
import type { RequestSession } from './request-session.ts'

/**
 * Makes the session the property `session` of a request; reading it before it is opened throws. All
 * requests of a framework inherit it from one object: a request that was given no session has none there,
 * and may be given another one by whoever assigns it. On a request as Node made it, it is a property of its own.
 */
export function showOnRequest<Data extends object>(
  request: object,
  requestSession: RequestSession<Data>,
): void {
  keeping(request).shown = requestSession
  if (hasProperty(request)) return
  const host = lastBefore(IncomingMessage.prototype, request)
  if (host !== undefined && !Object.hasOwn(host, NAME)) Object.defineProperty(host, NAME, SESSION)
  if (!hasProperty(request)) Object.defineProperty(request, NAME, SESSION)
}

const NAME = 'session'

const SESSION: PropertyDescriptor = {
  get(this: object) {
    return keptOf(this)?.shown?.session
  },
  set(this: object, value: unknown) {
    if (keptOf(this)?.shown !== undefined) throw cannotBeAssigned()
    const own = { value, configurable: true, enumerable: true, writable: true }
    Object.defineProperty(this, NAME, own)
  },
  configurable: true,
  enumerable: true,
}

/** True if the first property of that name, on the request or on what it inherits from, is this one. */
function hasProperty(request: object): boolean {
  let owner: object | null = request
  while (owner !== null && !Object.hasOwn(owner, NAME)) {
    owner = Object.getPrototypeOf(owner) as object | null
  }
  return owner !== null && Object.getOwnPropertyDescriptor(owner, NAME)?.get === SESSION.get
}

function cannotBeAssigned(): SessionError {
  return new SessionError(
    'ERR_SESSION_MISUSE',
    'request.session cannot be replaced. Set values with session.set(name, value), end it with session.destroy().',
  )
}
