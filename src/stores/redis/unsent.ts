import { setMaxListeners } from 'node:events'

/** What is needed of a client to be told of its troubles. */
export interface Troubled {
  on?(event: string, listener: () => void): unknown
}

// What a sentinel client of node-redis says when a connection was lost, or leads to another primary.
const TROUBLES = ['client-error', 'topology-change', 'reconnecting']

/**
 * Keeps a client from sending a command twice. The sentinel client of node-redis does so when the primary
 * was lost before it answered: if the command had been done already, and the replica that took over knows
 * of it, an addition counts twice.
 */
export class Unsent {
  #controller = newController()

  constructor(client: Troubled) {
    for (const event of TROUBLES) client.on?.(event, () => this.#abort())
  }

  /** Aborts commands that are to be sent after the next trouble; those that were sent before it are left alone. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  #abort(): void {
    this.#controller.abort()
    this.#controller = newController()
  }
}

function newController(): AbortController {
  const controller = new AbortController()
  // One for each command that waits.
  setMaxListeners(0, controller.signal)
  return controller
}
