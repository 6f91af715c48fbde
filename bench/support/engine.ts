import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { startRedis, type RedisServer } from '../../test/support/redis.ts'
import { startRedisCluster } from '../../test/support/redis-cluster.ts'
import { moveToOtherCore } from './cpus.ts'

/** What Redis has done so far. */
export interface RedisCounts {
  readonly bytesIn: number
  readonly bytesOut: number
  /** Microseconds of processor time. */
  readonly cpu: number
}

/** What something made clients send, and Redis do. */
export interface Traffic {
  /** Bytes. */
  readonly sent: number
  readonly received: number
  /** How often Redis ran each command, whoever called it: a client or a script. */
  readonly calls: ReadonlyMap<string, number>
}

/** A command that a client sent, and the node that got it. */
export interface Sent {
  readonly node: number
  readonly name: string
}

type Client = ReturnType<typeof newClient>

/** One Redis server on the other core, or a cluster of them, with what is needed to look at it. */
export class Redis {
  readonly #nodes: readonly RedisServer[]
  readonly #clients: readonly Client[]
  readonly #stop: () => Promise<void>

  private constructor(
    nodes: readonly RedisServer[],
    clients: readonly Client[],
    stop: () => Promise<void>,
  ) {
    this.#nodes = nodes
    this.#clients = clients
    this.#stop = stop
  }

  static async start(): Promise<Redis> {
    const server = await startRedis()
    return Redis.#watched([server], () => server.stop())
  }

  /** A cluster of primaries. */
  static async startCluster(size: number): Promise<Redis> {
    const cluster = await startRedisCluster(size)
    return Redis.#watched(cluster.nodes, () => cluster.stop())
  }

  static async #watched(nodes: readonly RedisServer[], stop: () => Promise<void>): Promise<Redis> {
    for (const { pid } of nodes) moveToOtherCore(pid)
    return new Redis(nodes, await Promise.all(nodes.map(connect)), stop)
  }

  get url(): string {
    return this.#nodes[0]?.url ?? ''
  }

  /** What a measured process is told. */
  get env(): Readonly<Record<string, string>> {
    const urls = this.#nodes.map(({ url }) => url)
    return { BENCH_REDIS_URL: this.url, BENCH_REDIS_NODES: urls.join(' ') }
  }

  /** Of all nodes together. To ask is counted too. */
  async counts(): Promise<RedisCounts> {
    const all = await Promise.all(this.#clients.map(countsOf))
    const sum = (name: keyof RedisCounts): number =>
      all.reduce((total, counts) => total + counts[name], 0)
    return { bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut'), cpu: sum('cpu') }
  }

  /** What `run` makes clients send and Redis do; what asking for it costs is left out. */
  async traffic(run: () => Promise<unknown>): Promise<Traffic> {
    const callsBefore = await this.#calls()
    const [first, second] = [await this.counts(), await this.counts()]
    await run()
    const third = await this.counts()
    const grown = (name: keyof RedisCounts): number =>
      Math.max(0, third[name] - second[name] - (second[name] - first[name]))
    const calls = grownCalls(callsBefore, await this.#calls())
    return { sent: grown('bytesIn'), received: grown('bytesOut'), calls }
  }

  /** Of all nodes together, by `INFO commandstats`. */
  async #calls(): Promise<ReadonlyMap<string, number>> {
    const calls = new Map<string, number>()
    for (const info of await Promise.all(this.#clients.map((each) => each.info('commandstats')))) {
      for (const [, name = '', often] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
        calls.set(name, (calls.get(name) ?? 0) + Number(often))
      }
    }
    return calls
  }

  /** The commands that clients send while something runs. What scripts call is left out. */
  async watch(run: () => Promise<unknown>): Promise<readonly Sent[]> {
    const sent: Sent[] = []
    const monitors = await Promise.all(
      this.#clients.map((client, node) => monitor(client, (name) => sent.push({ node, name }))),
    )
    await run()
    // What was sent last is told once this has been answered.
    await Promise.all(this.#clients.map((client) => client.echo('end')))
    const isEnd = ({ name }: Sent): boolean => name === 'ECHO'
    for (let tries = 0; sent.filter(isEnd).length < monitors.length && tries < 5000; tries++) {
      await sleep(1)
    }
    for (const each of monitors) each.destroy()
    return sent.filter((command) => !isEnd(command))
  }

  /** Bytes that the data takes, with what Redis needs to manage it, but not the connections. */
  async memory(): Promise<number> {
    const [info, clients] = await Promise.all([
      this.#first.sendCommand<string>(['INFO', 'memory']),
      this.#first.sendCommand<string>(['CLIENT', 'LIST']),
    ])
    const connections = [...clients.matchAll(/ tot-mem=(\d+)/g)].map(([, n]) => Number(n))
    const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1])
    return connections.reduce((left, bytes) => left - bytes, used)
  }

  async version(): Promise<string> {
    return /^redis_version:(\S+)/m.exec(await this.#first.info('server'))?.[1] ?? ''
  }

  /** How many keys each node has. */
  async sizes(): Promise<readonly number[]> {
    return Promise.all(this.#clients.map((client) => client.dbSize()))
  }

  async empty(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.flushAll()))
  }

  /** Sends a command to the first node. */
  command(...args: string[]): Promise<unknown> {
    return this.#first.sendCommand(args)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
    await this.#stop()
  }

  get #first(): Client {
    const [client] = this.#clients
    if (client === undefined) throw new Error('There is no node.')
    return client
  }
}

function grownCalls(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const grown = [...after].map(([name, often]) => [name, often - (before.get(name) ?? 0)] as const)
  return new Map(grown.filter(([name, often]) => often > 0 && name !== 'info'))
}

async function connect({ url }: RedisServer): Promise<Client> {
  const client = newClient(url)
  client.on('error', () => undefined)
  await client.connect()
  return client
}

// To fill a server takes one long script: no deadline for a command.
function newClient(url: string) {
  return createClient({ url, RESP: 2, commandOptions: { timeout: 0 } })
}

async function countsOf(client: Client): Promise<RedisCounts> {
  const info = await client.info('everything')
  const number = (name: string): number => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1])
  return {
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    cpu: (number('used_cpu_user') + number('used_cpu_sys')) * 1e6,
  }
}

async function monitor(client: Client, tell: (name: string) => void): Promise<Client> {
  const watching = client.duplicate()
  watching.on('error', () => undefined)
  await watching.connect()
  await watching.monitor((line) => {
    const [, inScript, name] = /^\S+ \[\d+ (lua)?[^\]]*\] "([^"]*)"/.exec(line) ?? []
    if (inScript === undefined && name !== undefined) tell(name.toUpperCase())
  })
  return watching
}
