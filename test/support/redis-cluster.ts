import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, type RedisServer } from './redis.ts'

const SLOTS = 16_384

/** A Redis Cluster of primaries on 127.0.0.1. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  /** Ends all nodes and removes what they left. */
  stop(): Promise<void>
}

/** Starts a cluster and resolves when it serves every slot, which takes Redis two seconds. */
export async function startRedisCluster(size = 3): Promise<RedisCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-cluster-'))
  const nodes = await Promise.all(Array.from({ length: size }, (_, n) => startNode(directory, n)))
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await joinNodes(nodes)
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startNode(directory: string, n: number): Promise<RedisServer> {
  const args = ['--cluster-enabled', 'yes', '--cluster-config-file', `node-${n}.conf`]
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
