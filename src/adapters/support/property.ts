import type { RequestSession } from './request-session.ts'

const SHOWN: unique symbol = Symbol('sojourn.shown')

interface Host {
  [SHOWN]?: { readonly session: unknown }
}

// One function for every request: those that have one of their own cannot share their shape.
const SESSION: PropertyDescriptor = {
  get(this: Host) {
    return this[SHOWN]?.session
  },
  configurable: true,
  enumerable: true,
}

/** Makes the session a property of a request; reading it before it is opened throws. */
export function showSession<Data extends object>(
  host: object,
  requestSession: RequestSession<Data>,
): void {
  const shown: Host = host
  shown[SHOWN] = requestSession
  Object.defineProperty(host, 'session', SESSION)
}
