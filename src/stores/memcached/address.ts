import { SessionError } from '../../errors.ts'

/** Where a server is. Its name decides which sessions it keeps. */
export interface Address {
  /** `host:port`, or the path of a socket. */
  readonly name: string
  readonly where: { readonly host: string; readonly port: number } | { readonly path: string }
}

const PORT = 11211

/**
 * Reads `host`, `host:port`, `[::1]:port` or `/path/of.socket`.
 *
 * @throws SessionError `ERR_SESSION_OPTION`
 */
export function parseAddress(text: unknown): Address {
  if (typeof text !== 'string') throw wrong()
  if (text.startsWith('/')) return { name: text, where: { path: text } }
  const [, bracketed, plain, digits] =
    /^(?:\[([\da-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d+))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? PORT : Number(digits)
  if (host === undefined || port < 1 || port > 65_535) throw wrong()
  const name = bracketed === undefined ? `${host}:${port}` : `[${host}]:${port}`
  return { name, where: { host, port } }
}

/**
 * The one of several servers that keeps a session (rendezvous hashing): every process that is given
 * the same names, in whatever order, chooses the same, and a server more or less moves only the
 * sessions that it gains or loses.
 */
export function chooseServer<Server extends { readonly name: string }>(
  servers: readonly [Server, ...Server[]],
  id: string,
): Server {
  let [best] = servers
  if (servers.length === 1) return best
  let most = -1
  for (const server of servers) {
    const score = hash(`${server.name} ${id}`)
    if (score > most) [best, most] = [server, score]
  }
  return best
}

/** FNV-1a, then the finalizer of MurmurHash3, which spreads what differs only in a few letters. */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193)
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b)
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35)
  return (sum ^ (sum >>> 16)) >>> 0
}

function wrong(): SessionError {
  return new SessionError(
    'ERR_SESSION_OPTION',
    "servers must be a list such as ['127.0.0.1:11211'], each server once: host, host:port, [::1]:port or the path of a socket.",
  )
}
