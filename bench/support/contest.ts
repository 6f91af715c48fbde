import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { costOf, mediansOf, type Cost, type Used } from './cost.ts'
import { busySeconds } from './cpus.ts'
import type { Redis, Sent } from './engine.ts'
import type { Generator } from './generator.ts'
import { Visitors, type Load } from './load.ts'
import type { Progress } from './progress.ts'
import { Samples, type Labels } from './samples.ts'
import { Subject } from './subject.ts'

// That connections end and new ones come has to be compiled as well: after one long burst the next was dearer.
const WARM_UPS = 4

/** What requests do, on sessions of how many bytes, over how many connections at once. */
export interface Scenario {
  readonly work: 'read' | 'write'
  readonly bytes: number
  readonly connections: number
  /** How much of it is measured, in terms of the bursts of the plan: 1. */
  readonly part?: number
}

/** A burst ends after that many requests or milliseconds. */
export interface Length {
  readonly requests: number
  readonly milliseconds: number
}

/** One measured server: `variants[variant]` of `subjects/<group>.js`, and what it is measured in. */
export interface Entry {
  readonly group: string
  readonly variant: string
  readonly scenarios: readonly Scenario[]
}

/** What is measured, and for how long. */
export interface Plan {
  readonly entries: readonly Entry[]
  readonly rounds: number
  /** How often in a round the servers take turns in each scenario: 1. A figure of a round is the median of them. */
  readonly turns?: number
  readonly burst: Length
  /** Before anything counts: for each server all in all, however many kinds of work it is asked for. */
  readonly warm: Length
  /** How many sessions of each size. */
  readonly visitors: number
  /** How many requests are looked at one by one; 0: the traffic is not measured. */
  readonly traced: number
  /** What all rows have in common. */
  readonly labels?: Labels
  /** What else is to be in Redis; called in every round, when the sessions of the visitors are there. */
  readonly fill?: (redis: Redis) => Promise<void>
}

/** With what servers are measured, and where the figures go. */
export interface Tools {
  readonly redis: Redis
  readonly generator: Generator
  readonly samples: Samples
  readonly progress: Progress
}

/**
 * Runs servers side by side, all in turn, as often as the plan says: A B C, A B C. In each round a server
 * is a fresh process. The servers of a group run at the same time, but only one of them works.
 */
export class Contest {
  readonly #plan: Plan
  readonly #redis: Redis
  readonly #generator: Generator
  readonly #samples: Samples
  readonly #progress: Progress

  constructor(plan: Plan, { redis, generator, samples, progress }: Tools) {
    this.#plan = plan
    this.#redis = redis
    this.#generator = generator
    this.#samples = samples
    this.#progress = progress
  }

  /** The steps of `run`, for the progress. */
  get steps(): number {
    return this.#plan.rounds * this.#plan.entries.length
  }

  async run(): Promise<void> {
    for (let round = 0; round < this.#plan.rounds; round++) await this.round(round)
  }

  /** One of the rounds, for those who take turns with other contests. */
  async round(round: number): Promise<void> {
    for (const entries of groupsOf(this.#plan.entries)) await this.#groupRound(round, entries)
  }

  async #groupRound(round: number, entries: readonly Entry[]): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'bench-'))
    const entrants: Entrant[] = []
    try {
      await this.#redis.empty()
      for (const entry of entries) {
        this.#progress.step(`round ${round + 1} of ${this.#plan.rounds}, ${nameOf(entry)}`)
        entrants.push(await this.#enter(entry, directory))
      }
      await this.#plan.fill?.(this.#redis)
      await this.#bursts(entrants)
      if (round === 0 && this.#plan.traced > 0) await this.#trace(entrants)
    } finally {
      for (const { subject } of entrants) await subject.stop()
      await rm(directory, { recursive: true, force: true })
    }
  }

  async #enter({ group, variant, scenarios }: Entry, directory: string): Promise<Entrant> {
    const env = { ...this.#redis.env, BENCH_DIRECTORY: directory }
    const subject = await Subject.start(group, variant, env)
    const visitors = new Map<number, Visitors>()
    const entrant = { group, subject, scenarios, visitors }
    for (const bytes of new Set(scenarios.map((scenario) => scenario.bytes))) {
      visitors.set(bytes, await Visitors.begin(subject, bytes, this.#plan.visitors))
    }
    await this.#warm(entrant)
    return entrant
  }

  // What runs for the first time is compiled meanwhile, which would count as the work of the request.
  async #warm({ subject, scenarios, visitors }: Entrant): Promise<void> {
    if (this.#plan.warm.requests === 0) return
    for (const { work, bytes, part } of warmUpOf(scenarios)) {
      const load = loadOf(this.#plan.warm, { work, connections: 32, part })
      await visitorsOf(visitors, bytes).burst(this.#generator, subject, load)
    }
  }

  async #bursts(entrants: readonly Entrant[]): Promise<void> {
    const all = entrants.flatMap(({ scenarios }) => scenarios)
    const scenarios = new Map(all.map((each) => [keyOf(each), each]))
    for (const [key, scenario] of scenarios) {
      const taking = entrants.filter((each) => each.scenarios.some((one) => keyOf(one) === key))
      await this.#takeTurns(taking, scenario)
    }
  }

  async #takeTurns(entrants: readonly Entrant[], scenario: Scenario): Promise<void> {
    const { work, bytes, connections } = scenario
    const turns = new Samples()
    // The first turn does not count: what was done last was something else.
    const first = this.#plan.warm.requests > 0 ? -1 : 0
    for (let turn = first; turn < (this.#plan.turns ?? 1); turn++) {
      for (const entrant of entrants) {
        const { group, subject } = entrant
        const labels = { ...this.#plan.labels, kind: 'cost', group, variant: subject.name }
        const cost = await this.#burst(entrant, scenario)
        if (turn >= 0) turns.add({ ...labels, work, bytes, connections }, cost)
      }
    }
    for (const { of, figures } of turns.rows) this.#samples.add(of, mediansOf(figures))
  }

  async #burst({ subject, visitors }: Entrant, scenario: Scenario): Promise<Cost> {
    const load = loadOf(this.#plan.burst, scenario)
    // What it takes to connect is no part of a request.
    let before = await this.#usage(subject)
    const burst = await visitorsOf(visitors, scenario.bytes).burst(
      this.#generator,
      subject,
      load,
      async () => void (before = await this.#usage(subject)),
    )
    return costOf(burst, before, await this.#usage(subject))
  }

  async #usage(subject: Subject): Promise<Used> {
    const [redis, usage] = [await this.#redis.counts(), await subject.usage()]
    return { ...usage, redis: redis.cpu, busy: busySeconds() }
  }

  /** What single requests send to Redis, without a cookie and with one. */
  async #trace(entrants: readonly Entrant[]): Promise<void> {
    for (const { group, subject, scenarios, visitors } of entrants) {
      const kinds = new Map(scenarios.map((each) => [`${each.work} ${each.bytes}`, each]))
      const labels = { ...this.#plan.labels, kind: 'traffic', group, variant: subject.name }
      for (const { work, bytes } of kinds.values()) {
        const [cookie = ''] = visitorsOf(visitors, bytes).cookies
        const figures = await this.#traffic(subject.url(`/${work}`), { cookie })
        this.#samples.add({ ...labels, work, bytes }, figures)
      }
      const figures = await this.#traffic(subject.url('/read'), {})
      this.#samples.add({ ...labels, work: 'no cookie', bytes: 0 }, figures)
    }
  }

  async #traffic(url: string, headers: Record<string, string>): Promise<Record<string, number>> {
    const requests = this.#plan.traced
    const run = async (): Promise<void> => {
      for (let request = 0; request < requests; request++) {
        await (await fetch(url, { headers })).arrayBuffer()
      }
    }
    await run()
    const { sent, received, calls } = await this.#redis.traffic(run)
    const commands = await this.#redis.watch(run)
    return {
      commands: commands.length / requests,
      nodes: new Set(commands.map(({ node }) => node)).size,
      sent: sent / requests,
      received: received / requests,
      ...timesOf('command', countsOf(commands), requests),
      ...timesOf('call', calls, requests),
    }
  }
}

interface Entrant {
  readonly group: string
  readonly subject: Subject
  readonly scenarios: readonly Scenario[]
  readonly visitors: ReadonlyMap<number, Visitors>
}

function visitorsOf(visitors: Entrant['visitors'], bytes: number): Visitors {
  const some = visitors.get(bytes)
  if (some === undefined) throw new Error(`There are no sessions of ${bytes} bytes.`)
  return some
}

function loadOf(
  { requests, milliseconds }: Length,
  { work, connections, part = 1 }: Omit<Scenario, 'bytes'>,
): Load {
  return {
    ...{ path: `/${work}`, connections },
    ...{ requests: Math.ceil(requests * part), milliseconds: milliseconds * part },
  }
}

/**
 * How a server warms up: with each kind of work, for a part of the whole. The smallest size, whose figures are
 * compared most, has four times as much of it as each of the others. Reading it comes last: what a session
 * holds is then of the length that it keeps. All of it is done several times.
 */
export function warmUpOf(scenarios: readonly Scenario[]): (Scenario & { part: number })[] {
  const kinds = new Map(scenarios.map((each) => [`${each.work} ${each.bytes}`, each]))
  const smallest = Math.min(...scenarios.map(({ bytes }) => bytes))
  const weighed = [...kinds.values()].map((kind) => ({
    ...kind,
    part: kind.bytes === smallest ? 1 : 1 / 4,
  }))
  const all = WARM_UPS * weighed.reduce((sum, { part }) => sum + part, 0)
  const once = weighed
    .map((kind) => ({ ...kind, part: kind.part / all }))
    .toSorted((a, b) => b.work.localeCompare(a.work) || b.bytes - a.bytes)
  return Array.from({ length: WARM_UPS }, () => once).flat()
}

/** What each group has, in the order of the plan. */
function groupsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const groups = [...new Set(entries.map(({ group }) => group))]
  return groups.map((group) => entries.filter((entry) => entry.group === group))
}

function countsOf(commands: readonly Sent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { name } of commands) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** How often a request sends each command, or makes Redis call it: `{ 'command GET': 1 }`. */
function timesOf(
  what: 'command' | 'call',
  counts: ReadonlyMap<string, number>,
  requests: number,
): Record<string, number> {
  return Object.fromEntries(
    [...counts].map(([name, count]) => [`${what} ${name.toUpperCase()}`, count / requests]),
  )
}

function nameOf({ group, variant }: Entry): string {
  return variant.includes(group) ? variant : `${group} ${variant}`
}

function keyOf({ work, bytes, connections }: Scenario): string {
  return `${work} ${bytes} ${connections}`
}
