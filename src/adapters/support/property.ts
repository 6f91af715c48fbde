import type { RequestSession } from './request-session.ts'

/** Makes the session a property of a request; reading it before it is opened throws. */
export function showSession<Data extends object>(
  host: object,
  requestSession: RequestSession<Data>,
): void {
  const get = () => requestSession.session
  Object.defineProperty(host, 'session', { get, configurable: true, enumerable: true })
}
