/**
 * What a change did: the build in `dist` beside another one, such as that of the commit before, in turn.
 *
 *     npx tsx bench/compare.ts <folder of the other build> [group=node] [rounds=5]
 *
 * @module
 */

import { resolve } from 'node:path'
import { shareText, textOf, withSpread } from './reports/section.ts'
import { Contest, type Scenario } from './support/contest.ts'
import { Redis } from './support/engine.ts'
import { Generator } from './support/generator.ts'
import { Progress } from './support/progress.ts'
import { Figures, Samples } from './support/samples.ts'

const [other, group = 'node', rounds = '5'] = process.argv.slice(2)
if (other === undefined) throw new Error('Say where the other build is: a folder like dist.')
process.env['BENCH_BEFORE'] = resolve(other)

const BURST = { requests: 10_000, milliseconds: 250 }
const WARM = { requests: 150_000, milliseconds: 6000 }
const VARIANTS = ['bare', 'sojourn-before', 'sojourn'] as const
const scenarios: Scenario[] = [200, 4096].flatMap((bytes) =>
  (['read', 'write'] as const).map((work) => ({ work, bytes, connections: 32 })),
)

const samples = new Samples()
const redis = await Redis.start()
const generator = Generator.start()
try {
  const entries = VARIANTS.map((variant) => ({ group, variant, scenarios }))
  const plan = {
    entries,
    rounds: Number(rounds),
    turns: 6,
    burst: BURST,
    warm: WARM,
    visitors: 32,
    traced: 0,
  }
  const progress = new Progress('compare', (text) => process.stdout.write(`${text}\n`))
  const contest = new Contest(plan, { redis, generator, samples, progress })
  progress.plan(contest.steps)
  await contest.run()
} finally {
  await generator.stop()
  await redis.stop()
}
const figures = new Figures(samples.rows)
const rows = scenarios.map((scenario) => {
  const of = { ...scenario, variant: 'sojourn' }
  const [before, bare] = [
    { ...of, variant: 'sojourn-before' },
    { ...of, variant: 'bare' },
  ]
  return [
    `${scenario.work} ${scenario.bytes} B`,
    withSpread(figures.ratio(of, before, 'cpu')),
    shareText(figures.shareAbove(of, before, bare, 'cpu')),
    withSpread(figures.ratio(of, before, 'p99')),
  ]
})
const columns = [group, 'CPU / before', 'overhead / before', 'p99 / before']
process.stdout.write(`${textOf({ title: 'After, in terms of before', columns, rows })}\n`)
