import type { ClientSeen } from './request-info.ts'
import type { ClientInfo } from './store.ts'

/** Who the client is, as it is kept with a session; undefined if nothing is known. */
export function clientOf({ userAgent, address }: ClientSeen): ClientInfo | undefined {
  if (userAgent === undefined && address === undefined) return undefined
  return {
    ...(userAgent !== undefined && { userAgent: plain(userAgent, 256) }),
    ...(address !== undefined && { address: plain(address, 64) }),
  }
}

// What the client says of itself is kept as text that every engine can hold.
function plain(text: string, most: number): string {
  return text.replaceAll('\0', '').slice(0, most).toWellFormed()
}
