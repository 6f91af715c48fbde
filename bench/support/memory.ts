import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { anySession, copySession } from './copies.ts'
import type { Redis } from './engine.ts'
import { Visitors } from './load.ts'
import { Subject } from './subject.ts'

/** Whose sessions, how many, and of how many bytes of values. */
export interface Kept {
  readonly group: string
  readonly variant: string
  readonly sessions: number
  readonly bytes: number
}

/**
 * Bytes of Redis for a session, its key and what Redis needs to manage it included. Whole ones: what is
 * less is a share of what Redis takes for other things than sessions.
 */
export async function bytesOfSession(redis: Redis, kept: Kept): Promise<number> {
  await redis.empty()
  await begin(redis, kept)
  const key = await anySession(redis)
  // The first copy takes what is taken once, for the script.
  await copySession(redis, key, { from: 0, to: 0 })
  const before = await settled(redis)
  await copySession(redis, key, { from: 1, to: kept.sessions })
  const bytes = ((await settled(redis)) - before) / kept.sessions
  await redis.empty()
  return Math.round(bytes)
}

/** What Redis takes when connections that have ended are gone and tables have their new size. */
async function settled(redis: Redis): Promise<number> {
  let last = await redis.memory()
  for (let tries = 0; tries < 50; tries++) {
    await sleep(100)
    const now = await redis.memory()
    if (now === last) break
    last = now
  }
  return last
}

/** A session as that server stores it. */
async function begin(redis: Redis, { group, variant, bytes }: Kept): Promise<void> {
  const subject = await Subject.start(group, variant, { ...redis.env, BENCH_DIRECTORY: tmpdir() })
  try {
    await Visitors.begin(subject, bytes, 1)
  } finally {
    await subject.stop()
  }
}
