/**
 * What does a near cache save, and how long is an old value served elsewhere?
 *
 * @module
 */

import { Redis } from '../support/engine.ts'
import type { Progress } from '../support/progress.ts'
import type { Question, Size } from '../support/question.ts'
import { Samples, type Row } from '../support/samples.ts'
import { runTask } from '../support/task.ts'

/** Loads from the process, kept true by Redis. */
export const nearCache: Question = { name: 'near-cache', minutes: 1, measure }

interface Plan {
  readonly rounds: number
  readonly bytes: readonly number[]
  readonly sessions: number
  /** How many loads are under way at once. */
  readonly atOnce: readonly number[]
  readonly timing: { readonly operations: number; readonly milliseconds: number }
  readonly warm: boolean
  /** Of another process, to see when they are known here. */
  readonly writes: number
}

const PLANS: Readonly<Record<Size, Plan>> = {
  full: {
    ...{
      rounds: 5,
      bytes: [200, 4096, 65_536],
      sessions: 100,
      atOnce: [1, 32],
      warm: true,
      writes: 200,
    },
    timing: { operations: 10_000, milliseconds: 150 },
  },
  quick: {
    ...{ rounds: 2, bytes: [200], sessions: 100, atOnce: [32], warm: true, writes: 50 },
    timing: { operations: 5000, milliseconds: 100 },
  },
  smoke: {
    ...{ rounds: 1, bytes: [200], sessions: 2, atOnce: [4], warm: false, writes: 2 },
    timing: { operations: 10, milliseconds: 5000 },
  },
}

async function measure(size: Size, progress: Progress): Promise<readonly Row[]> {
  const { rounds, bytes, atOnce, ...plan } = PLANS[size]
  const samples = new Samples()
  const redis = await Redis.start()
  const kinds = bytes.flatMap((each) => atOnce.map((many) => ({ bytes: each, atOnce: many })))
  progress.plan(rounds * kinds.length)
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        progress.step(`round ${round + 1} of ${rounds}, ${kind.bytes} B, ${kind.atOnce} at once`)
        const timing = { ...plan.timing, atOnce: kind.atOnce }
        const options = { ...plan, bytes: kind.bytes, timing }
        const found = await runTask<Found>('near-cache', options, { env: redis.env })
        for (const [way, figures] of Object.entries(found)) samples.add({ ...kind, way }, figures)
      }
    }
  } finally {
    await redis.stop()
  }
  return samples.rows
}

type Found = Record<string, Record<string, number>>
