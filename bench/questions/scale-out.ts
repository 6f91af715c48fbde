/**
 * What changes when sessions are spread over more and more primaries of a Redis Cluster?
 *
 * @module
 */

import { Contest, type Plan as ContestPlan } from '../support/contest.ts'
import { Redis } from '../support/engine.ts'
import { Generator } from '../support/generator.ts'
import type { Progress } from '../support/progress.ts'
import type { Question, Size } from '../support/question.ts'
import { Samples, type Row } from '../support/samples.ts'
import { runTask } from '../support/task.ts'

/** From one node to six. */
export const scaleOut: Question = { name: 'scale-out', minutes: 5, measure }

interface Plan extends Pick<ContestPlan, 'rounds' | 'burst' | 'warm' | 'visitors' | 'traced'> {
  readonly nodes: readonly number[]
  /** How many are begun to see where they go. */
  readonly spread: number
}

const PLANS: Readonly<Record<Size, Plan>> = {
  full: {
    ...{ nodes: [1, 2, 3, 4, 6], spread: 6000, rounds: 5, visitors: 128, traced: 10 },
    burst: { requests: 10_000, milliseconds: 500 },
    warm: { requests: 75_000, milliseconds: 3000 },
  },
  quick: {
    ...{ nodes: [1, 3, 6], spread: 2000, rounds: 2, visitors: 32, traced: 5 },
    burst: { requests: 3000, milliseconds: 200 },
    warm: { requests: 30_000, milliseconds: 1200 },
  },
  smoke: {
    ...{ nodes: [1, 2], spread: 50, rounds: 1, visitors: 2, traced: 1 },
    burst: { requests: 200, milliseconds: 10_000 },
    warm: { requests: 0, milliseconds: 0 },
  },
}

async function measure(size: Size, progress: Progress): Promise<readonly Row[]> {
  const plan = PLANS[size]
  const samples = new Samples()
  const clusters: Redis[] = []
  const generator = Generator.start()
  try {
    for (const nodes of plan.nodes) clusters.push(await Redis.startCluster(nodes))
    const contests = clusters.map((redis, place) => {
      const tools = { redis, generator, samples, progress }
      return new Contest(contestPlan(plan, plan.nodes[place] ?? 0), tools)
    })
    progress.plan(contests.reduce((sum, { steps }) => sum + steps, 0))
    for (let round = 0; round < plan.rounds; round++) {
      for (const contest of contests) await contest.round(round)
    }
    for (const cluster of clusters) await spread(cluster, plan, samples)
  } finally {
    await generator.stop()
    for (const cluster of clusters) await cluster.stop()
  }
  return samples.rows
}

function contestPlan(plan: Plan, nodes: number): ContestPlan {
  const works = ['read', 'write'] as const
  const scenarios = works.map((work) => ({ work, bytes: 200, connections: 32 }))
  const variants = ['raw-cluster', 'sojourn-cluster']
  const entries = variants.map((variant) => ({ group: 'node', variant, scenarios }))
  return { ...plan, entries, labels: { nodes } }
}

/** How many sessions the fullest and the emptiest node have, in terms of an even share. */
async function spread(cluster: Redis, plan: Plan, samples: Samples): Promise<void> {
  await cluster.empty()
  await runTask('fill', { engine: 'cluster', sessions: plan.spread }, { env: cluster.env })
  const sizes = await cluster.sizes()
  const share = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  samples.add(
    { kind: 'spread', nodes: sizes.length },
    { most: Math.max(...sizes) / share, least: Math.min(...sizes) / share },
  )
}
