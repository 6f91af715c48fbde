import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, type RedisServer } from './redis.ts'

const SLOTS = 16_384

/** Settings of a server that does not wait for more replicas before it sends them what it has. */
export const AT_ONCE = ['--repl-diskless-sync-delay', '0'] as const

// A primary that is away for longer is replaced: long for a busy machine, short to wait for.
const NODE_TIMEOUT = ['--cluster-node-timeout', '2500'] as const

/** A Redis Cluster on 127.0.0.1. */
export interface RedisCluster {
  /** The primaries, then their replicas in the same order. */
  readonly nodes: readonly RedisServer[]
  /** Ends all nodes and removes what they left. */
  stop(): Promise<void>
}

/**
 * Starts a cluster and resolves when it serves every slot, which takes Redis two seconds.
 *
 * @param size - how many primaries
 * @param replicas - of each primary
 */
export async function startRedisCluster(size = 3, replicas = 0): Promise<RedisCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-cluster-'))
  const all = Array.from({ length: size * (1 + replicas) }, (_, n) => startNode(directory, n))
  const nodes = await Promise.all(all)
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await joinNodes(nodes.slice(0, size))
    await joinReplicas(nodes.slice(0, size), nodes.slice(size))
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startNode(directory: string, n: number): Promise<RedisServer> {
  const args = ['--cluster-enabled', 'yes', '--cluster-config-file', `node-${n}.conf`]
  args.push(...AT_ONCE, ...NODE_TIMEOUT)
  return startRedis({ directory, args })
}

async function joinNodes(nodes: readonly RedisServer[]): Promise<void> {
  const share = Math.ceil(SLOTS / nodes.length)
  for (const [n, { port }] of nodes.entries()) {
    const last = Math.min((n + 1) * share, SLOTS) - 1
    await ask(port, `CLUSTER ADDSLOTSRANGE ${n * share} ${last}`)
    await ask(port, `CLUSTER SET-CONFIG-EPOCH ${n + 1}`)
    if (n > 0) await ask(port, `CLUSTER MEET 127.0.0.1 ${nodes[0]?.port}`)
  }
  await Promise.all(nodes.map(({ port }) => complete(port, nodes.length)))
}

async function joinReplicas(
  primaries: readonly RedisServer[],
  replicas: readonly RedisServer[],
): Promise<void> {
  for (const { port } of replicas) await ask(port, `CLUSTER MEET 127.0.0.1 ${primaries[0]?.port}`)
  await Promise.all(replicas.map(({ port }) => complete(port, primaries.length)))
  await Promise.all(replicas.map(({ port }, n) => follow(port, primaries[n % primaries.length])))
}

/** Makes a node the replica of another one, and resolves when it has what that one has. */
async function follow(port: number, primary: RedisServer | undefined): Promise<void> {
  await ask(port, `CLUSTER REPLICATE ${await idOf(primary?.port ?? 0)}`)
  for (let tries = 0; tries < 400; tries++) {
    if ((await ask(port, 'INFO replication')).includes('master_link_status:up')) return
    await sleep(50)
  }
  throw new Error('A replica did not reach its primary.')
}

/** The id by which a cluster knows one of its nodes. */
export async function idOf(port: number): Promise<string> {
  const reply = await ask(port, 'CLUSTER MYID')
  return reply.split('\r\n')[1] ?? ''
}

async function complete(port: number, size: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const info = await ask(port, 'CLUSTER INFO')
    if (info.includes('cluster_state:ok') && info.includes(`cluster_size:${size}`)) return
    await sleep(50)
  }
  throw new Error('The nodes did not become a cluster.')
}

/** The reply to one inline command, as it comes. */
export function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.setTimeout(5000, () => socket.destroy(new Error(`No answer to ${command}`)))
    socket.once('data', (reply) => {
      socket.destroy()
      const text = reply.toString('utf8')
      if (text.startsWith('-')) reject(new Error(`${command}: ${text}`))
      else resolve(text)
    })
    socket.once('error', reject)
  })
}
