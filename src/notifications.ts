/** Notifications live among the values, under names that begin with this character. */
export const NOTIFICATION_MARK = '\u0001'

/** What the notifications of a session need from it. */
export interface NotificationValues {
  set(name: string, value: unknown): void
  has(name: string): boolean
  names(): Iterable<string>
  /** Reads and removes one value: exactly one of any number of requests gets it. */
  takeOnce(name: string): Promise<unknown>
}

/**
 * Messages from one request to a later one, each delivered exactly once: of any number of parallel
 * requests one gets it, and looking (`has`, `keys`) does not consume it.
 *
 * @example
 * session.notifications.set('saved', 'Profile saved')
 * // in the next request
 * const message = await session.notifications.take('saved')
 */
export class Notifications {
  readonly #values: NotificationValues

  constructor(values: NotificationValues) {
    this.#values = values
  }

  /** Leaves a message. It replaces one of the same name that has not been taken. */
  set(name: string, value: unknown): this {
    this.#values.set(NOTIFICATION_MARK + name, value)
    return this
  }

  /** The message, or `undefined` if there is none or another request has taken it. */
  take(name: string): Promise<unknown> {
    return this.#values.takeOnce(NOTIFICATION_MARK + name)
  }

  has(name: string): boolean {
    return this.#values.has(NOTIFICATION_MARK + name)
  }

  /** The names of the messages that wait. */
  *keys(): IterableIterator<string> {
    for (const name of this.#values.names()) if (isNotification(name)) yield name.slice(1)
  }
}

export function isNotification(name: string): boolean {
  return name.startsWith(NOTIFICATION_MARK)
}
