import { createHash } from 'node:crypto'
import type { SessionId } from '../../store.ts'

/**
 * The hash tags of the buckets, in the order of their slots in a cluster, which lie evenly over all
 * slots: nodes that have equal shares of the slots have equal shares of the buckets, from 1 to 6
 * nodes exactly. What is stored depends on them: they never change.
 */
export const TAGS: readonly string[] = (
  '6y 9p t3 ck oz or i8 f1 ds 1a b1 2y yx hb gk cs lz e1 j8 5q 5y 33 w3 1y dk kb gs hz a1 n8 ' +
  'k8 d1 mz bs v3 ak 4y jb ek 0y 0q 3a 3i iz fs bk u3 8p 7y g1 h8 as nz 0a es jz fk ib xx 3y'
).split(' ')

/**
 * How many characters of an id are in the key of its record: 192 of the 256 bits of a SHA-256, so that
 * two sessions under one key are expected among 2^96 sessions. With the usual prefix a key has 44
 * characters, for which Redis needs 48 bytes; the next larger key needs 64.
 */
const ID_IN_KEY = 32

/** What the sessions of one bucket share; their keys have the same slot. */
export interface Bucket {
  /** A sorted set: when each session of the bucket was to end when that was last noted. */
  readonly registry: string
  /** The stream of events. */
  readonly events: string
}

/** What belongs to one user; the keys have the same slot. */
export interface UserKeys {
  /** A sorted set: the sessions that may be the user's, by their deadlines. */
  readonly sessions: string
  /** A sorted set: the sessions that were added of late, by when they may be removed. */
  readonly fresh: string
  /** Who decides who may log in. */
  readonly lock: string
}

/**
 * The names of all keys under a prefix.
 *
 * ```
 * sojourn:{6y}<begin of the id>    a session
 * sojourn:x:{6y}, sojourn:e:{6y}   the registry and the events of a bucket
 * sojourn:u:{<hash of the user>}   the sessions of a user; n: the fresh ones; l: the lock
 * ```
 *
 * Only the key of a session has its id cut short; wherever else it is kept or told it is whole.
 */
export class Keys {
  readonly buckets: readonly Bucket[]
  readonly #prefix: string
  readonly #heads: readonly string[]

  constructor(prefix: string) {
    this.#prefix = prefix
    this.#heads = TAGS.map((tag) => `${prefix}{${tag}}`)
    this.buckets = TAGS.map((tag) => ({
      registry: `${prefix}x:{${tag}}`,
      events: `${prefix}e:{${tag}}`,
    }))
  }

  /** The key of a session; of an id of 32 characters or fewer it has all. */
  record(id: SessionId): string {
    return `${this.#heads[bucketOf(id)]}${id.slice(0, ID_IN_KEY)}`
  }

  /** The keys of a session, of the registry of its bucket and of the events, in this order. */
  all(id: SessionId): [record: string, registry: string, events: string] {
    const { registry, events } = this.bucket(id)
    return [this.record(id), registry, events]
  }

  bucket(id: SessionId): Bucket {
    return this.buckets[bucketOf(id)] as Bucket
  }

  /** A user may be any text of any length: its hash is in the key, which also keeps it out of dumps. */
  user(user: string): UserKeys {
    const hash = createHash('sha256').update(user).digest().subarray(0, 16).toString('base64url')
    const tag = `:{${hash}}`
    return {
      sessions: `${this.#prefix}u${tag}`,
      fresh: `${this.#prefix}n${tag}`,
      lock: `${this.#prefix}l${tag}`,
    }
  }
}

/** Which bucket a session is in. Ids are random from their first character on. */
export function bucketOf(id: string): number {
  let hash = 0
  for (let at = 0; at < 4; at++) hash = hash * 31 + (id.charCodeAt(at) || 0)
  return hash % TAGS.length
}

/** Ids by bucket, in parts of at most so many: what one call may be about. */
export function byBucket(ids: readonly SessionId[], most: number): readonly SessionId[][] {
  const parts = new Map<number, SessionId[][]>()
  for (const id of ids) {
    const bucket = bucketOf(id)
    const found = parts.get(bucket)
    const last = found?.at(-1)
    if (last !== undefined && last.length < most) last.push(id)
    else if (found === undefined) parts.set(bucket, [[id]])
    else found.push([id])
  }
  return [...parts.values()].flat()
}
