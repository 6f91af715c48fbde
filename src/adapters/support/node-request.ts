import type { IncomingHttpHeaders } from 'node:http'
import type { RequestInfo } from '../../manager.ts'

/** What is needed of a request: that of `node:http` has it, and that of `node:http2`. */
export interface NodeRequest {
  readonly headers: IncomingHttpHeaders & { readonly ':authority'?: string | undefined }
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** What an adapter found out about a request; what it could not is undefined. */
export interface FoundInfo {
  readonly userAgent?: string | undefined
  readonly address?: string | undefined
  readonly secure?: boolean | undefined
  readonly host?: string | undefined
}

/** The same, with nothing undefined in it. */
export function infoOf({ userAgent, address, secure, host }: FoundInfo): RequestInfo {
  const info: { -readonly [Name in keyof RequestInfo]: RequestInfo[Name] } = {}
  if (userAgent !== undefined) info.userAgent = userAgent
  if (address !== undefined) info.address = address
  if (secure !== undefined) info.secure = secure
  if (host !== undefined) info.host = host
  return info
}

/** What the connection says of a request. */
export function connectionInfo({ headers, socket }: NodeRequest): RequestInfo {
  return infoOf({
    userAgent: headers['user-agent'],
    address: socket.remoteAddress,
    secure: 'encrypted' in socket,
    host: headers.host ?? headers[':authority'],
  })
}

/**
 * What the last `proxies` proxies say of a request, whose word alone counts: what stands further left in
 * `X-Forwarded-For` was said by the client.
 */
export function forwardedInfo(request: NodeRequest, proxies: number): RequestInfo {
  const { headers } = request
  const address = fromRight(headers['x-forwarded-for'], proxies)
  const protocol = fromRight(headers['x-forwarded-proto'], proxies)
  const host = fromRight(headers['x-forwarded-host'], proxies)
  return {
    ...connectionInfo(request),
    ...infoOf({ address, host, secure: protocol === undefined ? undefined : protocol === 'https' }),
  }
}

function fromRight(header: string | string[] | undefined, position: number): string | undefined {
  const parts = [header ?? []].flat().join(',').split(',')
  const part = (parts.at(-position) ?? parts[0])?.trim()
  return part === '' ? undefined : part
}
