import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { startRedis, type RedisServer } from '../../test/support/redis.ts'
import { moveToOtherCore } from './cpus.ts'

/** What Redis has done so far. */
export interface RedisCounts {
  readonly bytesIn: number
  readonly bytesOut: number
  /** Microseconds of processor time. */
  readonly cpu: number
}

/** A Redis server on the other core, with what is needed to look at it. */
export class Redis {
  readonly url: string
  readonly #server: RedisServer
  readonly #client: ReturnType<typeof createClient>

  private constructor(server: RedisServer, client: ReturnType<typeof createClient>) {
    this.url = server.url
    this.#server = server
    this.#client = client
  }

  static async start(): Promise<Redis> {
    const server = await startRedis()
    moveToOtherCore(server.pid)
    const client = createClient({ url: server.url })
    client.on('error', () => undefined)
    await client.connect()
    return new Redis(server, client)
  }

  async counts(): Promise<RedisCounts> {
    const info = await this.#client.info('everything')
    const number = (name: string): number =>
      Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1])
    return {
      bytesIn: number('total_net_input_bytes'),
      bytesOut: number('total_net_output_bytes'),
      cpu: (number('used_cpu_user') + number('used_cpu_sys')) * 1e6,
    }
  }

  /** The names of the commands that clients send while something runs. What scripts call is left out. */
  async watch(run: () => Promise<unknown>): Promise<string[]> {
    const monitor = await this.#client.duplicate().connect()
    const names: string[] = []
    await monitor.monitor((line) => {
      const [, inScript, name] = /^\S+ \[\d+ (lua)?[^\]]*\] "([^"]*)"/.exec(line) ?? []
      if (inScript === undefined && name !== undefined) names.push(name.toUpperCase())
    })
    await run()
    // What was sent last is told once this has been answered.
    await this.#client.echo('end')
    while (names.at(-1) !== 'ECHO') await sleep(1)
    monitor.destroy()
    return names.slice(0, -1)
  }

  command(...args: string[]): Promise<unknown> {
    return this.#client.sendCommand(args)
  }

  async stop(): Promise<void> {
    await this.#client.close()
    await this.#server.stop()
  }
}
