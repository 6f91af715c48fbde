import { SessionError } from '../../errors.ts'
import type { RedisClient } from './client.ts'

/** What is used of a client of node-redis that is told of changes. */
export interface TrackedClient {
  connect(): Promise<unknown>
  sendCommand(args: string[], options?: object): Promise<unknown>
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'invalidate', listener: (key: string | Buffer | null) => void): unknown
  destroy(): void
}

/** The options by which a client of node-redis is told, and by which it gives up at once when it is lost. */
export const TRACKED = {
  RESP: 3,
  emitInvalidate: true,
  disableOfflineQueue: true,
  maintNotifications: 'disabled',
  commandOptions: { timeout: 0 },
} as const

/** What is needed of a client of node-redis, alone, to make another one like it. */
interface Duplicable {
  readonly options?: { readonly socket?: object }
  duplicate(options: object): TrackedClient
  createPool(): unknown
}

/**
 * A client beside a given one that is told of changes; not connected yet.
 *
 * @throws SessionError `ERR_SESSION_OPTION` for all but a single client of node-redis
 */
export function trackedBeside(client: RedisClient): TrackedClient {
  if (!isDuplicable(client)) throw untrackable()
  const socket = { ...client.options?.socket, reconnectStrategy: false }
  return client.duplicate({ ...TRACKED, clientSideCache: undefined, socket })
}

/** @throws SessionError as {@link trackedBeside} */
export function checkTrackable(client: RedisClient): void {
  if (!isDuplicable(client)) throw untrackable()
}

/** @throws SessionError `ERR_SESSION_OPTION` if Redis does not tell this client of changes */
export async function checkTracked(client: TrackedClient): Promise<void> {
  const reply = await client.sendCommand(['CLIENT', 'TRACKINGINFO'])
  if (JSON.stringify(reply).includes('"on"')) return
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'Redis does not tell this client of changes (client tracking is off). Use node-redis 6, and no proxy in between.',
  )
}

function isDuplicable(client: object): client is Duplicable {
  return ['duplicate', 'createPool'].every(
    (name) => typeof Reflect.get(client, name) === 'function',
  )
}

function untrackable(): SessionError {
  return new SessionError(
    'ERR_SESSION_OPTION',
    'A near cache needs a RedisStore that connects by itself ({ url }), or that was given a single client of node-redis 6: no pool, cluster or sentinel, and no other library.',
  )
}
