/**
 * A log of events: what a store tells of a session, and what an engine does that keeps a log which
 * `listening.ts` reads.
 *
 * @module
 */

import type { SessionChange, SessionId, SessionRecord, StoreEvent } from './store.ts'

/** An event where it stands in a log. */
export interface LoggedEvent {
  /** Grows with every event, in the order in which they were written. */
  readonly position: number
  readonly event: StoreEvent
}

/** An event that a consumer of a group has for itself until some time. */
export interface Claim extends LoggedEvent {
  readonly group: string
  /** How often it was handed out, this time included. */
  readonly tries: number
}

/** A result at once, or later. */
export type Soon<T> = T | Promise<T>

/** A log in an engine. Every verb is one atomic step; times are ms since the epoch. */
export interface EventLog {
  /** The position of the newest event that was ever written. */
  end(): Soon<number>

  /** At most `limit` events after a position, the oldest first. */
  after(position: number, limit: number): Soon<readonly LoggedEvent[]>

  /** Begins a group at the end of the log; one that exists stays as it is. */
  join(group: string): Soon<void>

  /**
   * Takes an event of the group until a time: one that was taken until before `now`, or else the
   * next one that nobody had.
   */
  claim(group: string, now: number, until: number): Soon<Claim | undefined>

  /** Moves the time until which an event is taken. Nothing happens if it is finished. */
  postpone(claim: Claim, until: number): Soon<void>

  /** The group has handled the event. */
  finish(claim: Claim): Soon<void>
}

/** The bounds of a log: how many events it keeps, and for how many ms. */
export const MOST_EVENTS = 100_000
export const LONGEST_AGE = 86_400_000

/** The name of all watchers of an engine together. No group can have it. */
export const WATCHERS = ''

/**
 * For how many ms a log writes events for those who have told it that they listen: nothing shall be
 * written for ever because a process that listened has ended.
 */
export function lifeOf(name: string): number {
  return name === WATCHERS ? 300_000 : 604_800_000
}

/** Says when a log has to be told again that somebody listens. */
export class Registrations {
  readonly #told = new Map<string, number>()

  isDue(name: string, now: number): boolean {
    const told = this.#told.get(name)
    return told === undefined || Math.abs(now - told) > lifeOf(name) / 10
  }

  wereTold(name: string, now: number): void {
    this.#told.set(name, now)
  }
}

/** An event as a store tells it. */
export function eventOf(
  type: StoreEvent['type'],
  id: SessionId,
  at: number,
  user: string | undefined,
): StoreEvent {
  return user === undefined ? { type, id, at } : { type, id, at, user }
}

/** A session that was removed, or may be; without a user if it could not be read. */
export interface Removed {
  readonly id: SessionId
  readonly user: string | undefined
  /** False if it was live. */
  readonly expired: boolean
}

/** What its removal tells. */
export function eventOfEnd({ id, user, expired }: Removed, now: number): StoreEvent {
  return eventOf(expired ? 'expired' : 'destroyed', id, now, user)
}

/** What a commit tells: `elevated`, `renewed` or nothing. */
export function eventOfCommit(
  id: SessionId,
  { user, rotate }: SessionChange,
  at: number,
  before: SessionRecord,
  after: SessionRecord,
): StoreEvent | undefined {
  const elevated = user !== undefined || rotate === 'fence'
  if (!elevated && after.generation === before.generation) return undefined
  return eventOf(elevated ? 'elevated' : 'renewed', id, at, after.user)
}
