import { Unsent } from './unsent.ts'
import type { Troubled } from './unsent.ts'

/** What the store needs of a GLIDE client, alone or of a cluster. */
interface GlideLike {
  customCommand(args: string[], options?: object): Promise<unknown>
}

/** What the store needs of ioredis or iovalkey: a client, or a cluster. */
interface CallLike {
  call(command: string, ...args: string[]): Promise<unknown>
  callBuffer?(command: string, ...args: string[]): Promise<unknown>
  pipeline?(commands: string[][]): {
    exec(): Promise<[error: Error | null, reply: unknown][] | null>
  }
}

/** What the store needs of node-redis: a client or a pool. */
interface SendLike {
  sendCommand(args: string[], options?: object): Promise<unknown>
  withCommandOptions?(options: object): unknown
  execute?<T>(work: (client: SendLike) => Promise<T>): Promise<T>
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
  withCommandOptions?(options: object): unknown
  multi?(key: string): ClusterPipeline
}

interface ClusterPipeline {
  addCommand(firstKey: string, isReadonly: boolean, args: string[]): ClusterPipeline
  execAsPipeline(): Promise<unknown[]>
}

/** What the store needs of a connection that a sentinel client of node-redis lends. */
interface LeaseLike {
  sendCommand(isReadonly: boolean | undefined, args: string[]): Promise<unknown>
}

/** What the store needs of a sentinel client of node-redis. */
interface SendToSentinelLike extends Troubled {
  sendCommand(isReadonly: boolean | undefined, args: string[], options?: object): Promise<unknown>
  getSentinelNode(): unknown
  withCommandOptions?(options: object): unknown
  use?<T>(work: (client: LeaseLike) => Promise<T>): Promise<T>
}

/**
 * A connected client of yours: node-redis 6 (client, pool, cluster, sentinel), ioredis 6, iovalkey
 * (client, cluster) or GLIDE (client, cluster). It is recognised by what it can do and stays yours:
 * the store never closes it, and how it reconnects is as you set it up.
 */
export type RedisClient = GlideLike | CallLike | SendLike | SendToClusterLike | SendToSentinelLike

/** The ways in which the store uses a client. */
export interface RedisCommands {
  /** Sends a command to the node of `key` and answers what the client answers, with text. */
  send(key: string, args: string[]): Promise<unknown>
  /** What is stored under `key`: bytes if the client can answer them, text, or null. */
  read(key: string): Promise<unknown>
  /**
   * How many replicas have what was written under `key` before. Waits for one, at most that many ms; what
   * else is sent on the connection meanwhile waits too.
   */
  replicas(key: string, ms: number): Promise<unknown>
}

// Redis counts from the last command of a connection on: behind another one it does not matter which
// connection it was that wrote.
const PROBE = 'EXISTS'

// The options by which the clients answer bytes. 36 is `$`, the type of a string in RESP.
const BYTES_OF_NODE_REDIS = { timeout: 0, typeMapping: { 36: Buffer } } as const
const BYTES_OF_GLIDE = { decoder: 0 } as const
// A timer for each command would nearly halve the throughput of node-redis; the store has its own.
const TEXT_OF_NODE_REDIS = { timeout: 0 } as const

/** True for a client, whoever made it, that can be given to {@link commandsOf}. */
export function isClient(source: object): source is RedisClient {
  return isGlide(source) || isCall(source) || can(source, 'sendCommand')
}

/**
 * How to use a client.
 *
 * @param deadline - ms after which nobody waits for an answer any more
 */
export function commandsOf(client: RedisClient, deadline: number): RedisCommands {
  if (isGlide(client)) return ofGlide(client)
  if (isCall(client)) return ofCall(client)
  if (isCluster(client)) return ofCluster(client)
  if (isSentinel(client)) return ofSentinel(client)
  return ofSend(client, deadline)
}

function ofGlide(client: GlideLike): RedisCommands {
  return {
    send: (_key, args) => client.customCommand(args),
    read: (key) => client.customCommand(['GET', key], BYTES_OF_GLIDE),
    replicas: (key, ms) =>
      client.customCommand(wait(ms), { route: { type: 'primarySlotKey', key } }),
  }
}

function ofCall(client: CallLike): RedisCommands {
  return {
    send: (_key, [name = '', ...args]) => client.call(name, ...args),
    read: (key) => client.callBuffer?.('GET', key) ?? client.call('GET', key),
    replicas: async (key, ms) => {
      if (client.pipeline === undefined) return client.call('WAIT', '1', `${ms}`)
      const probe = [PROBE.toLowerCase(), key]
      const [, waited] = (await client.pipeline([probe, ['wait', '1', `${ms}`]]).exec()) ?? []
      if (waited?.[0]) throw waited[0]
      return waited?.[1]
    },
  }
}

// Reads go to the primary: a replica may not have the write of the request before.
function ofCluster(client: SendToClusterLike): RedisCommands {
  const [text, bytes] = variantsOf(client)
  return {
    send: (key, args) => text.sendCommand(key, false, args),
    read: (key) => bytes.sendCommand(key, false, ['GET', key]),
    // As a command of its own WAIT would go to all primaries.
    replicas: async (key, ms) => {
      const pipeline = client.multi?.(key).addCommand(key, false, [PROBE, key])
      return (await pipeline?.addCommand(key, false, wait(ms)).execAsPipeline())?.[1]
    },
  }
}

function ofSentinel(client: SendToSentinelLike): RedisCommands {
  const [text, bytes] = variantsOf(client)
  const unsent = new Unsent(client)
  return {
    send: (_key, args) => text.sendCommand(false, args, { abortSignal: unsent.signal }),
    read: (key) => bytes.sendCommand(false, ['GET', key]),
    replicas: (key, ms) => {
      const ask = async (one: LeaseLike): Promise<unknown> => {
        await one.sendCommand(false, [PROBE, key])
        return one.sendCommand(false, wait(ms))
      }
      return client.use?.(ask) ?? ask(text)
    },
  }
}

// A client that is offline may queue commands: then they leave the queue when nobody waits for them.
function ofSend(client: SendLike, deadline: number): RedisCommands {
  const [text, bytes] = variantsOf(client)
  const queued = { timeout: deadline } as const
  const options = (): object | undefined => (isOffline(client) ? queued : undefined)
  return {
    send: (_key, args) => text.sendCommand(args, options()),
    read: (key) => bytes.sendCommand(['GET', key], options()),
    replicas: (key, ms) => {
      const ask = async (one: SendLike): Promise<unknown> => {
        await one.sendCommand([PROBE, key], options())
        return one.sendCommand(wait(ms), options())
      }
      return client.execute?.(ask) ?? ask(text)
    },
  }
}

function wait(ms: number): string[] {
  return ['WAIT', '1', `${ms}`]
}

/** The client as it answers text, and as it answers bytes. */
function variantsOf<Client extends { withCommandOptions?(options: object): unknown }>(
  client: Client,
): readonly [text: Client, bytes: Client] {
  if (!can(client, 'withCommandOptions')) return [client, client]
  const variant = (options: object): Client => client.withCommandOptions?.(options) as Client
  return [variant(TEXT_OF_NODE_REDIS), variant(BYTES_OF_NODE_REDIS)]
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

function isCluster(client: object): client is SendToClusterLike {
  return can(client, 'nodeClient')
}

function isSentinel(client: object): client is SendToSentinelLike {
  return can(client, 'getSentinelNode')
}

function can(client: object, method: string): boolean {
  return typeof Reflect.get(client, method) === 'function'
}
