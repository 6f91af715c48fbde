/**
 * What do the parts of a request with a session cost, one by one?
 *
 * @module
 */

import type { Progress } from '../support/progress.ts'
import type { Question, Size } from '../support/question.ts'
import { Samples, type Row } from '../support/samples.ts'
import { runTask } from '../support/task.ts'

/** The parts of a request. */
export const parts: Question = { name: 'parts', minutes: 1, measure }

interface Plan {
  readonly rounds: number
  /** For each part. */
  readonly milliseconds: number
  /** How often each part is called to see what it allocates. */
  readonly allocating: number
}

const PLANS: Readonly<Record<Size, Plan>> = {
  full: { rounds: 5, milliseconds: 300, allocating: 20_000 },
  quick: { rounds: 3, milliseconds: 100, allocating: 20_000 },
  smoke: { rounds: 1, milliseconds: 1, allocating: 100 },
}

// Garbage is not collected while allocations are counted.
const FLAGS = ['--expose-gc', '--max-semi-space-size=512', '--min-semi-space-size=512']

async function measure(size: Size, progress: Progress): Promise<readonly Row[]> {
  const { rounds, ...options } = PLANS[size]
  const samples = new Samples()
  progress.plan(rounds)
  for (let round = 0; round < rounds; round++) {
    progress.step(`round ${round + 1} of ${rounds}`)
    const found = await runTask<Record<string, Found>>('parts', options, { flags: FLAGS })
    for (const [part, { time, bytes }] of Object.entries(found))
      samples.add({ part }, { time, bytes })
  }
  return samples.rows
}

interface Found {
  /** Nanoseconds. */
  readonly time: number
  /** Of the heap. */
  readonly bytes: number
}
