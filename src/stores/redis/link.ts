import { commandsOf } from './client.ts'
import type { RedisClient, RedisCommands } from './client.ts'
import { checkTrackable, trackedBeside } from './tracked-client.ts'
import type { TrackedClient } from './tracked-client.ts'

/** The way from a store to Redis. */
export interface Link extends RedisCommands {
  /** For messages: where Redis is, without the password. */
  readonly where: string
  /** Resolves when the library is loaded, which does not count as time that Redis takes. */
  readonly prepared?: Promise<unknown>
  /** To be told of every answer that came in time. */
  answered(): void
  /** To be told of every answer that did not. */
  unanswered(): void
  close(): Promise<void>
  /** @throws SessionError `ERR_SESSION_OPTION` if there can be no client that is told of changes */
  checkTrackable(): void
  /** A client of its own that is told of changes, not connected yet. */
  trackedClient(): Promise<TrackedClient>
}

/** A client that belongs to the caller: it takes care of its connections itself. */
export class Borrowed implements Link {
  readonly where = 'Redis'
  readonly #client: RedisClient
  readonly #commands: RedisCommands

  /** @param deadline - ms after which nobody waits for an answer any more */
  constructor(client: RedisClient, deadline: number) {
    this.#client = client
    this.#commands = commandsOf(client, deadline)
  }

  send(key: string, args: string[]): Promise<unknown> {
    return this.#commands.send(key, args)
  }

  read(key: string): Promise<unknown> {
    return this.#commands.read(key)
  }

  replicas(key: string, ms: number): Promise<unknown> {
    return this.#commands.replicas(key, ms)
  }

  answered(): void {
    // Nothing is watched.
  }

  unanswered(): void {
    // Nothing is watched.
  }

  async close(): Promise<void> {
    // It stays open.
  }

  checkTrackable(): void {
    checkTrackable(this.#client)
  }

  async trackedClient(): Promise<TrackedClient> {
    return trackedBeside(this.#client)
  }
}
