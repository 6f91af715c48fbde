/**
 * What does a session cost a request? Servers side by side: a framework bare, with sojourn, with what is
 * usual there, and the least that a session in Redis can cost.
 *
 * @module
 */

import { Contest, type Entry, type Plan, type Scenario } from '../support/contest.ts'
import { Redis } from '../support/engine.ts'
import { Generator } from '../support/generator.ts'
import type { Progress } from '../support/progress.ts'
import type { Question, Size } from '../support/question.ts'
import { Samples, type Row } from '../support/samples.ts'

/** What a session costs a request. */
export const overhead: Question = { name: 'overhead', minutes: 34, measure }

type Timing = Omit<Plan, 'entries'>

const TIMINGS: Readonly<Record<Size, Timing>> = {
  full: {
    rounds: 5,
    turns: 5,
    burst: { requests: 10_000, milliseconds: 250 },
    warm: { requests: 150_000, milliseconds: 6000 },
    visitors: 32,
    traced: 10,
  },
  quick: {
    rounds: 2,
    turns: 3,
    burst: { requests: 5000, milliseconds: 150 },
    warm: { requests: 40_000, milliseconds: 1500 },
    visitors: 8,
    traced: 5,
  },
  smoke: {
    rounds: 1,
    burst: { requests: 200, milliseconds: 10_000 },
    warm: { requests: 0, milliseconds: 0 },
    visitors: 1,
    traced: 1,
  },
}

const BYTES: Readonly<Record<Size, readonly number[]>> = {
  full: [200, 4096, 65_536],
  quick: [200, 4096],
  smoke: [200],
}

// What no session can be larger than when it is in a cookie.
const LARGEST_COOKIE = 1024

type Kind = 'bare' | 'sessions' | 'small only'

const GROUPS: Readonly<Record<string, Partial<Record<Kind, readonly string[]>>>> = {
  node: {
    bare: ['bare'],
    sessions: ['raw', 'sojourn', 'sojourn-embedded', 'sojourn-memory'],
    'small only': ['raw-defaults', 'raw-ioredis', 'iron-session'],
  },
  express: { bare: ['bare'], sessions: ['express-session', 'sojourn', 'sojourn-embedded'] },
  fastify: {
    bare: ['bare'],
    sessions: ['fastify-session', 'fastify-session-not-rolling', 'sojourn'],
    'small only': ['secure-session'],
  },
  koa: { bare: ['bare'], sessions: ['koa-session', 'sojourn'] },
  hono: { bare: ['bare'], sessions: ['hono-sessions', 'hono-sessions-plain', 'sojourn'] },
}

async function measure(size: Size, progress: Progress): Promise<readonly Row[]> {
  const samples = new Samples()
  const redis = await Redis.start()
  const generator = Generator.start()
  try {
    const plan = { ...TIMINGS[size], entries: entriesOf(size) }
    const contest = new Contest(plan, { redis, generator, samples, progress })
    progress.plan(contest.steps)
    await contest.run()
  } finally {
    await generator.stop()
    await redis.stop()
  }
  return samples.rows
}

function entriesOf(size: Size): Entry[] {
  const all = scenariosOf(size)
  const fitting: Readonly<Record<Kind, Scenario[]>> = {
    // A server without sessions does the same whatever is asked; but the machine changes meanwhile.
    bare: all,
    sessions: all,
    'small only': all.filter(({ bytes }) => bytes < LARGEST_COOKIE),
  }
  return Object.entries(GROUPS).flatMap(([group, kinds]) => {
    return Object.entries(kinds).flatMap(([kind, variants]) => {
      const scenarios = fitting[kind as Kind]
      return variants.map((variant) => ({ group, variant, scenarios }))
    })
  })
}

function scenariosOf(size: Size): Scenario[] {
  const main = BYTES[size].flatMap((bytes) => {
    const part = bytes > 4096 ? 1 / 2 : 1
    return (['read', 'write'] as const).map((work) => ({ work, bytes, connections: 32, part }))
  })
  if (size !== 'full') return main
  const read = { work: 'read', bytes: 200, part: 1 / 2 } as const
  return [...main, ...[1, 256].map((connections) => ({ ...read, connections }))]
}
