import type { Length } from '../support/contest.ts'
import type { Size } from '../support/question.ts'

/** What the question of growth measures, and for how long. */
export interface Plan {
  readonly rounds: number
  /** How many sessions are in Redis, of how many bytes, when their memory is looked at. */
  readonly memory: readonly { readonly sessions: number; readonly bytes: number }[]
  /** How many sessions are in Redis when requests are timed. */
  readonly counts: readonly number[]
  /** Bytes of a session. */
  readonly sizes: readonly number[]
  readonly names: readonly number[]
  /** Of the largest number of names. */
  readonly changed: readonly number[]
  readonly burst: Length
  readonly warm: Length
  readonly visitors: number
  readonly traced: number
  readonly timing: {
    readonly operations: number
    readonly milliseconds: number
    readonly atOnce: number
  }
  /** The engines under many writers. */
  readonly hot: readonly string[]
}

export const PLANS: Readonly<Record<Size, Plan>> = {
  full: {
    rounds: 5,
    memory: [
      { sessions: 10_000, bytes: 200 },
      { sessions: 100_000, bytes: 200 },
      { sessions: 1_000_000, bytes: 200 },
      { sessions: 100_000, bytes: 1024 },
      { sessions: 100_000, bytes: 4096 },
    ],
    counts: [10_000, 100_000, 1_000_000],
    sizes: [200, 4096, 16_384, 65_536, 262_144],
    names: [1, 10, 100, 1000],
    changed: [1, 10, 100, 1000],
    burst: { requests: 10_000, milliseconds: 500 },
    warm: { requests: 50_000, milliseconds: 2000 },
    visitors: 200,
    traced: 5,
    timing: { operations: 4000, milliseconds: 250, atOnce: 32 },
    hot: ['memory', 'embedded', 'redis', 'memcached', 'postgres', 'sqlite'],
  },
  quick: {
    rounds: 2,
    memory: [
      { sessions: 100_000, bytes: 200 },
      { sessions: 20_000, bytes: 1024 },
      { sessions: 20_000, bytes: 4096 },
    ],
    counts: [10_000, 100_000],
    sizes: [200, 4096],
    names: [1, 100],
    changed: [1, 100],
    burst: { requests: 3000, milliseconds: 200 },
    warm: { requests: 30_000, milliseconds: 1200 },
    visitors: 32,
    traced: 2,
    timing: { operations: 1500, milliseconds: 150, atOnce: 32 },
    hot: ['embedded', 'redis'],
  },
  smoke: {
    rounds: 1,
    memory: [{ sessions: 100, bytes: 200 }],
    counts: [100],
    sizes: [200],
    names: [2],
    changed: [1],
    burst: { requests: 200, milliseconds: 10_000 },
    warm: { requests: 0, milliseconds: 0 },
    visitors: 2,
    traced: 1,
    timing: { operations: 16, milliseconds: 5000, atOnce: 4 },
    hot: ['embedded', 'redis'],
  },
}
