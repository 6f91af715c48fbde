import { tmpdir } from 'node:os'
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

/** Bytes of Redis for a session, its key and what Redis needs to manage it included. */
export async function bytesOfSession(redis: Redis, kept: Kept): Promise<number> {
  await redis.empty()
  await begin(redis, kept)
  const key = await anySession(redis)
  const before = await redis.memory()
  await copySession(redis, key, kept.sessions)
  const bytes = ((await redis.memory()) - before) / kept.sessions
  await redis.empty()
  return bytes
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
