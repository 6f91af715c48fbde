/**
 * What grows with the number of sessions, with their size, with their names, with what is changed, and
 * with writers that write at once?
 *
 * @module
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Contest, type Plan as ContestPlan, type Scenario } from '../support/contest.ts'
import { anySession, copySession } from '../support/copies.ts'
import { Redis } from '../support/engine.ts'
import { Generator } from '../support/generator.ts'
import { startEngines } from '../support/engines.ts'
import { bytesOfSession } from '../support/memory.ts'
import type { Progress } from '../support/progress.ts'
import type { Question, Size } from '../support/question.ts'
import { Samples, type Labels, type Row } from '../support/samples.ts'
import { runTask } from '../support/task.ts'
import { PLANS, type Plan } from './growth-plans.ts'

/** How the cost grows. */
export const growth: Question = { name: 'growth', minutes: 12, measure }

const WRITERS = 64
/** Each with the sessions of its own library in Redis. */
const KEEPERS = {
  sojourn: ['node', 'sojourn'],
  'sojourn-lean': ['node', 'sojourn-lean'],
  'connect-redis': ['express', 'express-session'],
  // With what sojourn keeps of the client, as values.
  'connect-redis-client': ['express', 'express-session-client'],
} as const

async function measure(size: Size, progress: Progress): Promise<readonly Row[]> {
  const run = { plan: PLANS[size], samples: new Samples(), progress }
  const redis = await Redis.start()
  const generator = Generator.start()
  try {
    await withRedis(run, redis, generator)
  } finally {
    await generator.stop()
    await redis.stop()
  }
  await withTasks(run)
  return run.samples.rows
}

interface Run {
  readonly plan: Plan
  readonly samples: Samples
  readonly progress: Progress
}

async function withRedis(
  { plan, samples, progress }: Run,
  redis: Redis,
  generator: Generator,
): Promise<void> {
  const contests = [...byCount(plan), ...bySize(plan)].map((each) => {
    return new Contest(each, { redis, generator, samples, progress })
  })
  const keepers = Object.entries(KEEPERS)
  const steps = contests.reduce((sum, contest) => sum + contest.steps, 0)
  progress.plan(keepers.length * plan.memory.length + steps)
  for (const { sessions, bytes } of plan.memory) {
    for (const [keeper, [group, variant]] of keepers) {
      progress.step(`memory of ${sessions} sessions of ${bytes} B, ${keeper}`)
      const memory = await bytesOfSession(redis, { group, variant, sessions, bytes })
      samples.add({ by: 'memory', keeper, sessions, bytes }, { memory })
    }
  }
  // The rounds of all contests take turns.
  for (let round = 0; round < plan.rounds; round++) {
    for (const contest of contests) await contest.round(round)
  }
}

/** The cost of a request with more and more sessions in Redis. */
function byCount(plan: Plan): ContestPlan[] {
  return plan.counts.map((sessions) => {
    const fill = async (redis: Redis): Promise<void> =>
      copySession(redis, await anySession(redis), { from: 1, to: sessions })
    return contestPlan(plan, 200, { by: 'sessions', sessions }, { fill })
  })
}

/** The cost of a request with larger and larger sessions. */
function bySize(plan: Plan): ContestPlan[] {
  return plan.sizes.map((bytes) => {
    return contestPlan(plan, bytes, { by: 'size' }, { visitors: 16, traced: plan.traced })
  })
}

function contestPlan(
  { rounds, burst, warm, visitors }: Plan,
  bytes: number,
  labels: Labels,
  more: Partial<ContestPlan>,
): ContestPlan {
  const works = ['read', 'write'] as const
  const scenarios: Scenario[] = works.map((work) => ({ work, bytes, connections: 32 }))
  const entries = ['raw', 'sojourn'].map((variant) => ({ group: 'node', variant, scenarios }))
  return { rounds, burst, warm, visitors, traced: 0, entries, labels, ...more }
}

interface Task {
  readonly task: 'names' | 'hot'
  readonly labels: Labels
  readonly options: object
}

/** What is measured inside of one process. */
async function withTasks({ plan, samples, progress }: Run): Promise<void> {
  const tasks = [...namesTasks(plan), ...hotTasks(plan)]
  const servers = await startEngines()
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const env = { ...servers.env, BENCH_DIRECTORY: directory }
  progress.plan(plan.rounds * tasks.length)
  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const { task, labels, options } of tasks) {
        progress.step(`round ${round + 1} of ${plan.rounds}, ${Object.values(labels).join(' ')}`)
        const { timing, warm } = plan
        const all = { timing, warm: warm.requests > 0, ...options }
        samples.add(labels, await runTask<Record<string, number>>(task, all, { env }))
      }
    }
  } finally {
    await servers.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

function namesTasks({ names, changed }: Plan): Task[] {
  const most = Math.max(...names)
  const task = (count: number, changing: number): Task => ({
    task: 'names',
    labels: { by: 'names', names: count, changed: changing },
    options: { names: count, changed: changing, sessions: 32 },
  })
  return [...names.map((count) => task(count, 0)), ...changed.map((count) => task(most, count))]
}

/** All writers on one session, and the same number of them each on its own. */
function hotTasks({ hot }: Plan): Task[] {
  return hot.flatMap((engine) => {
    return [1, WRITERS].map((sessions) => ({
      task: 'hot' as const,
      labels: { by: 'writers', engine, sessions },
      options: { engine, sessions, writers: WRITERS },
    }))
  })
}
