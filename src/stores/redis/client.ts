/** What the store needs of a GLIDE client, alone or of a cluster. */
interface GlideLike {
  customCommand(args: string[]): Promise<unknown>
}

/** What the store needs of ioredis or iovalkey: a client, or a cluster. */
interface CallLike {
  call(command: string, ...args: string[]): Promise<unknown>
}

/** What the store needs of node-redis: a client or a pool. */
interface SendLike {
  sendCommand(args: string[], options?: object): Promise<unknown>
}

/** What the store needs of a cluster of node-redis. */
interface SendToClusterLike {
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options?: object,
  ): Promise<unknown>
  nodeClient(node: never): unknown
}

/** What the store needs of a sentinel client of node-redis. */
interface SendToSentinelLike {
  sendCommand(isReadonly: boolean | undefined, args: string[], options?: object): Promise<unknown>
  getSentinelNode(): unknown
}

/**
 * A connected client of yours: node-redis 6 (client, pool, cluster, sentinel), ioredis 6, iovalkey
 * (client, cluster) or GLIDE (client, cluster). It is recognised by what it can do and stays yours:
 * the store never closes it, and how it reconnects is as you set it up.
 */
export type RedisClient = GlideLike | CallLike | SendLike | SendToClusterLike | SendToSentinelLike

/** Sends one command to the node of `key` and answers what the client answers. */
export type RedisCommand = (key: string, args: string[]) => Promise<unknown>

/** True for a client, whoever made it, that can be given to {@link commandOf}. */
export function isClient(source: object): source is RedisClient {
  return isGlide(source) || isCall(source) || isSend(source)
}

/**
 * How to send a command with a client.
 *
 * @param deadline - ms after which nobody waits for an answer any more
 */
export function commandOf(client: RedisClient, deadline: number): RedisCommand {
  if (isGlide(client)) return (_key, args) => client.customCommand(args)
  if (isCall(client)) return (_key, [name = '', ...args]) => client.call(name, ...args)
  // Reads go to the primary: a replica may not have the write of the request before.
  if (isCluster(client)) return (key, args) => client.sendCommand(key, false, args, PLAIN)
  if (isSentinel(client)) return (_key, args) => client.sendCommand(false, args, PLAIN)
  return sendWith(client, deadline)
}

// A timer per command would nearly halve the throughput; the store has its own deadline. One option
// more, such as a typeMapping, would cost a quarter of it.
const PLAIN = { timeout: 0 } as const

// While it is offline a client may queue commands: then they leave the queue when nobody waits for them.
function sendWith(client: SendLike, deadline: number): RedisCommand {
  const queued = { timeout: deadline }
  return (_key, args) => client.sendCommand(args, isOffline(client) ? queued : PLAIN)
}

function isOffline(client: SendLike): boolean {
  return 'isReady' in client && client.isReady === false
}

function isGlide(client: object): client is GlideLike {
  return can(client, 'customCommand')
}

function isCall(client: object): client is CallLike {
  return can(client, 'call')
}

function isSend(client: object): client is SendLike {
  return can(client, 'sendCommand')
}

function isCluster(client: object): client is SendToClusterLike {
  return can(client, 'nodeClient')
}

function isSentinel(client: object): client is SendToSentinelLike {
  return can(client, 'getSentinelNode')
}

function can(client: object, method: string): boolean {
  return typeof Reflect.get(client, method) === 'function'
}
