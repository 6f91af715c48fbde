/**
 * What does a session cost a request? Servers side by side: a framework bare, with sojourn, with what is
 * usual there, and the least that a session in Redis can cost.
 *
 * @module
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { busySeconds } from '../support/cpus.ts'
import { Redis } from '../support/engine.ts'
import { Visitors } from '../support/load.ts'
import { Subject } from '../support/subject.ts'

/** What one request costs, in one burst. */
export interface Cost {
  readonly round: number
  readonly group: string
  readonly variant: string
  readonly work: 'read' | 'write'
  readonly bytes: number
  readonly connections: number
  /** Microseconds of processor time of the server for a request. */
  readonly cpu: number
  /** The same, of Redis. */
  readonly redisCpu: number
  /** Requests in a second. */
  readonly rate: number
  /** Microseconds. */
  readonly p50: number
  readonly p99: number
  /** The part of the time in which others used the server's core. */
  readonly others: number
}

/** What one request sends to Redis. */
export interface Traffic {
  readonly group: string
  readonly variant: string
  readonly work: 'read' | 'write' | 'no cookie'
  readonly bytes: number
  /** Names of commands with how often a request sends them. */
  readonly commands: Readonly<Record<string, number>>
  readonly sent: number
  readonly received: number
}

/** What is measured, and for how long. */
export interface Plan {
  readonly groups: Readonly<Record<string, readonly string[]>>
  readonly scenarios: readonly Scenario[]
  readonly rounds: number
  /** A burst ends after that many requests or seconds; so does warming up. */
  readonly burst: Length
  readonly warm: Length
  readonly env: Readonly<Record<string, string>>
}

interface Length {
  readonly requests: number
  readonly seconds: number
}

export interface Scenario {
  readonly work: 'read' | 'write'
  readonly bytes: number
  readonly connections: number
}

const VISITORS = 32

/** Runs every variant in turn, as often as the plan says: A B C, A B C. */
export async function measureOverhead(
  plan: Plan,
  tell: (text: string) => void,
): Promise<{ costs: Cost[]; traffic: Traffic[] }> {
  const redis = await Redis.start()
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const env = { ...plan.env, BENCH_REDIS_URL: redis.url, BENCH_DIRECTORY: directory }
  const [costs, traffic]: [Cost[], Traffic[]] = [[], []]
  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const [group, variants] of Object.entries(plan.groups)) {
        const bench = await Bench.start(group, variants, { ...plan, env }, redis)
        tell(`round ${round + 1} of ${plan.rounds}: ${group}`)
        costs.push(...(await bench.round(round)))
        if (round === 0) traffic.push(...(await bench.traffic()))
        await bench.stop()
      }
    }
  } finally {
    await redis.stop()
    await rm(directory, { recursive: true, force: true })
  }
  return { costs, traffic }
}

interface Entrant {
  readonly subject: Subject
  readonly visitors: ReadonlyMap<number, Visitors>
}

/** The servers of one group, started anew for a round. */
class Bench {
  readonly #group: string
  readonly #plan: Plan
  readonly #redis: Redis
  readonly #entrants: readonly Entrant[]

  private constructor(group: string, plan: Plan, redis: Redis, entrants: readonly Entrant[]) {
    this.#group = group
    this.#plan = plan
    this.#redis = redis
    this.#entrants = entrants
  }

  static async start(
    group: string,
    variants: readonly string[],
    plan: Plan,
    redis: Redis,
  ): Promise<Bench> {
    await redis.command('FLUSHALL')
    const entrants: Entrant[] = []
    for (const variant of variants) entrants.push(await enter(group, variant, plan))
    return new Bench(group, plan, redis, entrants)
  }

  async round(round: number): Promise<Cost[]> {
    const costs: Cost[] = []
    for (const entrant of this.#entrants) await this.#warm(entrant)
    for (const scenario of this.#plan.scenarios) {
      for (const entrant of this.#entrants) costs.push(await this.#burst(entrant, scenario, round))
    }
    return costs
  }

  async stop(): Promise<void> {
    for (const { subject, visitors } of this.#entrants) {
      await subject.stop()
      for (const some of visitors.values()) await some.end()
    }
  }

  async #warm({ subject, visitors }: Entrant): Promise<void> {
    for (const work of ['write', 'read'] as const) {
      for (const some of visitors.values()) {
        await some.burst(subject, { path: `/${work}`, connections: 32, ...this.#plan.warm })
      }
    }
  }

  async #burst({ subject, visitors }: Entrant, scenario: Scenario, round: number): Promise<Cost> {
    const { work, bytes, connections } = scenario
    const some = visitors.get(bytes)
    if (some === undefined) throw new Error(`There are no sessions of ${bytes} bytes.`)
    const [usage, counts, busy] = [await subject.usage(), await this.#redis.counts(), busySeconds()]
    const load = { path: `/${work}`, connections, ...this.#plan.burst }
    const burst = await some.burst(subject, load)
    const busyNow = busySeconds()
    const cpu = (await subject.usage()).cpu - usage.cpu
    const redisCpu = (await this.#redis.counts()).cpu - counts.cpu
    return {
      ...{ round, group: this.#group, variant: subject.name, ...scenario },
      cpu: cpu / burst.requests,
      redisCpu: redisCpu / burst.requests,
      rate: burst.requests / burst.seconds,
      ...{ p50: burst.p50, p99: burst.p99 },
      others: Math.max(0, (busyNow - busy - cpu / 1e6) / burst.seconds),
    }
  }

  /** What single requests send to Redis. */
  async traffic(): Promise<Traffic[]> {
    const traffic: Traffic[] = []
    for (const { subject, visitors } of this.#entrants) {
      for (const [bytes, some] of visitors) {
        const [cookie = ''] = some.cookies
        for (const work of ['read', 'write'] as const) {
          traffic.push(await this.#count(subject, work, bytes, cookie))
        }
      }
      traffic.push(await this.#count(subject, 'no cookie', 0, undefined))
    }
    return traffic
  }

  async #count(
    subject: Subject,
    work: Traffic['work'],
    bytes: number,
    cookie: string | undefined,
  ): Promise<Traffic> {
    const url = subject.url(work === 'no cookie' ? '/read' : `/${work}`)
    const requests = 20
    const run = async (): Promise<void> => {
      for (let request = 0; request < requests; request++) {
        const response = await fetch(url, cookie === undefined ? {} : { headers: { cookie } })
        await response.arrayBuffer()
      }
    }
    await run()
    const before = await this.#redis.counts()
    await run()
    const after = await this.#redis.counts()
    const names = await this.#redis.watch(run)
    const commands: Record<string, number> = {}
    for (const name of names) commands[name] = (commands[name] ?? 0) + 1 / requests
    return {
      ...{ group: this.#group, variant: subject.name, work, bytes, commands },
      sent: (after.bytesIn - before.bytesIn) / requests,
      received: (after.bytesOut - before.bytesOut) / requests,
    }
  }
}

async function enter(group: string, variant: string, plan: Plan): Promise<Entrant> {
  const subject = await Subject.start(group, variant, plan.env)
  const visitors = new Map<number, Visitors>()
  for (const bytes of new Set(plan.scenarios.map((scenario) => scenario.bytes))) {
    visitors.set(bytes, await Visitors.begin(subject, bytes, VISITORS))
  }
  return { subject, visitors }
}
