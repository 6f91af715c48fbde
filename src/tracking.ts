/**
 * What a store offers that can tell when something that was read has changed since: the ground that
 * a near cache stands on.
 *
 * @module
 */

import type { SessionId, SessionRecord, SessionStore, Touch } from './store.ts'

/** A store whose reads can be followed by word of every later change. */
export interface TrackedStore extends SessionStore {
  /**
   * Begins such reads.
   *
   * @param changed - is told the key of every record that was read here and that somebody has changed
   * since, at least once; `undefined`: nothing that was read before is followed any more
   * @throws SessionError `ERR_SESSION_OPTION` if the way to the engine cannot do it
   */
  track(changed: (key: string | undefined) => void): Tracking
}

/** Reads that are followed by word of every later change. */
export interface Tracking {
  /**
   * A moment by `performance.now()`: every change that had been acknowledged by then was told.
   * It grows with every answer of the engine.
   */
  readonly confirmedAt: number

  /** Under which key `changed` tells of a session. */
  keyOf(id: SessionId): string

  /**
   * The same as `load`, and the record is followed from now on.
   *
   * @returns undefined while nothing can be followed: ask the store itself
   */
  read(id: SessionId, touch?: Touch): Promise<TrackedRead | undefined>

  /**
   * Resolves when every change that was acknowledged before this call was told; also when nothing is
   * followed any more, which was told too.
   *
   * @throws SessionError if the engine does not answer
   */
  confirm(): Promise<void>

  /** Resolves when reads are followed; throws the error that keeps them from it. */
  ready(): Promise<void>

  close(): Promise<void>
}

/** What a read found. */
export interface TrackedRead {
  readonly record: SessionRecord | undefined
  /** ms from the call until the record expires, by the engine's clock. */
  readonly left: number
  /** How large the record is in the engine. */
  readonly bytes: number
}
