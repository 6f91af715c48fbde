/**
 * What do load and commit cost with each engine, beside a bare read and write of the same engine?
 *
 * @module
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEngines } from '../support/engines.ts'
import type { Progress } from '../support/progress.ts'
import type { Question, Size } from '../support/question.ts'
import { Samples, type Row } from '../support/samples.ts'
import { runTask } from '../support/task.ts'

/** Load and commit, engine by engine. */
export const engines: Question = { name: 'engines', minutes: 4, measure }

const ENGINES = [
  'memory',
  'embedded',
  'node-redis',
  'ioredis',
  'iovalkey',
  'glide',
  'hash',
  'memcached',
  'postgres',
  'sqlite',
] as const

interface Plan {
  readonly rounds: number
  readonly bytes: readonly number[]
  readonly sessions: number
  readonly timing: { operations: number; milliseconds: number; atOnce: number }
  readonly warm: boolean
}

const PLANS: Readonly<Record<Size, Plan>> = {
  full: {
    ...{ rounds: 5, bytes: [200, 4096], sessions: 200, warm: true },
    timing: { operations: 8000, milliseconds: 200, atOnce: 32 },
  },
  quick: {
    ...{ rounds: 2, bytes: [200], sessions: 50, warm: true },
    timing: { operations: 3000, milliseconds: 150, atOnce: 32 },
  },
  smoke: {
    ...{ rounds: 1, bytes: [200], sessions: 2, warm: false },
    timing: { operations: 8, milliseconds: 5000, atOnce: 4 },
  },
}

async function measure(size: Size, progress: Progress): Promise<readonly Row[]> {
  const plan = PLANS[size]
  const samples = new Samples()
  const servers = await startEngines()
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const env = { ...servers.env, BENCH_DIRECTORY: directory }
  progress.plan(plan.rounds * plan.bytes.length * ENGINES.length)
  try {
    for (let round = 0; round < plan.rounds; round++) {
      for (const bytes of plan.bytes) {
        for (const engine of ENGINES) {
          progress.step(`round ${round + 1} of ${plan.rounds}, ${engine}, ${bytes} B`)
          const found = await measureEngine(engine, { ...plan, bytes }, env)
          for (const [work, figures] of Object.entries(found)) {
            samples.add({ engine, bytes, work }, figures)
          }
        }
      }
    }
  } finally {
    await servers.stop()
    await rm(directory, { recursive: true, force: true })
  }
  return samples.rows
}

function measureEngine(
  engine: string,
  { sessions, timing, warm, bytes }: Omit<Plan, 'bytes'> & { readonly bytes: number },
  env: Readonly<Record<string, string>>,
): Promise<Record<string, Record<string, number>>> {
  // The prototype is written in TypeScript.
  const flags = engine === 'hash' ? ['--import', 'tsx'] : []
  return runTask('engines', { engine, bytes, sessions, timing, warm }, { env, flags })
}
