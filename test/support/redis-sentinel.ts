import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, AT_ONCE } from './redis-cluster.ts'
import { freePort, type RedisServer, startRedis } from './redis.ts'

/** A primary with its replicas, and the sentinels that watch over it, on 127.0.0.1. */
export interface RedisSentinels {
  /** The name of the primary, by which sentinels are asked. */
  readonly name: string
  /** The first one is the primary at the beginning. */
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** The server that the sentinels take for the primary now. */
  primary(): Promise<RedisServer>
  /** Ends everything and removes what it left. */
  stop(): Promise<void>
}

const NAME = 'main'
// A primary that is away for longer is replaced: long for a busy machine, short to wait for.
const DOWN_AFTER = 1500

/** Starts a primary, two replicas and three sentinels, and resolves when all know each other. */
export async function startRedisSentinels(): Promise<RedisSentinels> {
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-sentinels-'))
  const started: RedisServer[] = []
  const start = async (...options: Parameters<typeof startRedis>): Promise<RedisServer> => {
    const server = await startRedis(...options)
    started.push(server)
    return server
  }
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const servers = await startServers(start)
    const sentinels = await startSentinels(start, directory, servers[0]?.port ?? 0)
    await Promise.all(sentinels.map(({ port }) => acquainted(port)))
    return { name: NAME, servers, sentinels, stop, primary: () => primaryOf(servers, sentinels) }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startServers(start: typeof startRedis): Promise<readonly RedisServer[]> {
  const primary = await start({ args: [...AT_ONCE] })
  const args = ['--replicaof', primary.host, String(primary.port), ...AT_ONCE]
  const replicas = await Promise.all([start({ args }), start({ args })])
  return [primary, ...replicas]
}

function startSentinels(
  start: typeof startRedis,
  directory: string,
  port: number,
): Promise<readonly RedisServer[]> {
  const settings = [
    `sentinel monitor ${NAME} 127.0.0.1 ${port} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER}`,
    `sentinel failover-timeout ${NAME} 10000`,
    `sentinel parallel-syncs ${NAME} 2`,
  ]
  return Promise.all(
    [0, 1, 2].map(async (n) => {
      const config = join(directory, `sentinel-${n}.conf`)
      await writeFile(config, `${settings.join('\n')}\n`)
      return start({ config, args: ['--sentinel'], port: await freePort() })
    }),
  )
}

/** Resolves when a sentinel knows two replicas that are up to date, and two other sentinels. */
async function acquainted(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const known = await ask(port, `SENTINEL MASTER ${NAME}`)
    const replicas = await ask(port, `SENTINEL REPLICAS ${NAME}`)
    const linked = replicas.match(/master-link-status\r\n\$2\r\nok/g)?.length === 2
    if (linked && /num-other-sentinels\r\n\$1\r\n2/.test(known)) return
    await sleep(50)
  }
  throw new Error('The sentinels did not find each other and the replicas.')
}

async function primaryOf(
  servers: readonly RedisServer[],
  sentinels: readonly RedisServer[],
): Promise<RedisServer> {
  const said = await ask(sentinels[0]?.port ?? 0, `SENTINEL GET-MASTER-ADDR-BY-NAME ${NAME}`)
  const found = servers.find(({ port }) => said.includes(`\r\n${port}\r\n`))
  if (found === undefined) throw new Error(`The sentinels name an unknown primary: ${said}`)
  return found
}
