import { SessionError } from './errors.ts'
import type { Claim, EventLog } from './event-log.ts'
import type { StopListening, StoreEvent } from './store.ts'

/** Handles an event of a group; if it throws, the event is handed out again. */
export type EventHandler = (event: StoreEvent) => void | Promise<void>

interface Watcher {
  /** Where the log ended when it began to listen. */
  readonly from: number
  readonly listener: (event: StoreEvent) => void
}

const BATCH = 500
/** ms for which an event is taken; longer handlers have it renewed. */
const LEASE = 5_000
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 60_000
const LONGEST_GROUP = 200

/**
 * Those who listen to a log: watchers are told every event, consumers of a group share them. A log that
 * other processes write to is read at an interval, as long as anyone listens.
 */
export class Listeners {
  readonly #log: EventLog
  readonly #every: number | undefined
  readonly #watchers = new Set<Watcher>()
  readonly #consumers = new Set<Consumer>()
  #position = 0
  #timer: NodeJS.Timeout | undefined
  #reading = false
  #again = false

  /** @param every - ms between two looks at the log; undefined if only this process writes to it */
  constructor(log: EventLog, every?: number) {
    this.#log = log
    this.#every = every
  }

  /** Tells the listener of every event from now on. What it throws is ignored. */
  async watch(listener: Watcher['listener']): Promise<StopListening> {
    const watcher = { from: await this.#log.end(), listener }
    if (this.#watchers.size === 0) this.#position = watcher.from
    this.#watchers.add(watcher)
    this.#keepReading()
    return async () => this.#forget(watcher)
  }

  /** Hands events to the handler, one after the other, as a member of the group. */
  async consume(group: string, handler: EventHandler): Promise<StopListening> {
    checkGroup(group)
    await this.#log.join(group)
    const consumer = new Consumer({ log: this.#log, every: this.#every, group, handler })
    this.#consumers.add(consumer)
    return () => {
      this.#consumers.delete(consumer)
      return consumer.stop()
    }
  }

  /** This process has written to the log: whoever listens need not wait. */
  nudge(): void {
    for (const consumer of this.#consumers) consumer.wake()
    if (this.#watchers.size === 0) return
    this.#again = true
    if (!this.#reading) void this.#read()
  }

  /** Begins no further call of a listener. What a handler is doing now may be handed out again. */
  close(): void {
    for (const consumer of this.#consumers) void consumer.stop()
    for (const watcher of this.#watchers) this.#forget(watcher)
    this.#consumers.clear()
  }

  #keepReading(): void {
    if (this.#every === undefined) return
    this.#timer ??= setInterval(() => this.nudge(), this.#every).unref()
  }

  #forget(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    if (this.#watchers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #read(): Promise<void> {
    this.#reading = true
    while (this.#again && this.#watchers.size > 0) {
      this.#again = false
      try {
        await this.#readOn()
      } catch {
        // The log cannot be read now: nothing was skipped, and the next look is soon.
      }
    }
    this.#reading = false
  }

  async #readOn(): Promise<void> {
    const entries = await this.#log.after(this.#position, BATCH)
    for (const { position, event } of entries) {
      this.#position = Math.max(this.#position, position)
      for (const watcher of this.#watchers) if (watcher.from < position) tell(watcher, event)
    }
    this.#again ||= entries.length === BATCH
  }
}

interface Consumption {
  readonly log: EventLog
  readonly every: number | undefined
  readonly group: string
  readonly handler: EventHandler
}

/** One member of a group. While it waits for events of other processes it keeps this one alive. */
class Consumer {
  readonly #consumption: Consumption
  readonly #done: Promise<void>
  #stopped = false
  #woken = false
  #wake: (() => void) | undefined

  constructor(consumption: Consumption) {
    this.#consumption = consumption
    this.#done = this.#run()
  }

  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Resolves when the handler has come to its end. */
  stop(): Promise<void> {
    this.#stopped = true
    this.wake()
    return this.#done
  }

  async #run(): Promise<void> {
    // The one who began it has the function that ends it before there is an event.
    await Promise.resolve()
    while (!this.#stopped) {
      this.#woken = false
      const claim = await this.#next()
      if (claim === undefined) await this.#rest()
      else await this.#handle(claim)
    }
  }

  async #next(): Promise<Claim | undefined> {
    const { log, group } = this.#consumption
    try {
      return await log.claim(group, Date.now(), Date.now() + LEASE)
    } catch {
      // Tried again after a rest: an event that was taken is handed out again.
      return undefined
    }
  }

  async #handle(claim: Claim): Promise<void> {
    const { log, handler } = this.#consumption
    const renewal = setInterval(() => void this.#postpone(claim, LEASE), LEASE / 3)
    try {
      await handler(claim.event)
      clearInterval(renewal)
      await log.finish(claim)
    } catch {
      clearInterval(renewal)
      await this.#tryLater(claim)
    }
  }

  async #tryLater(claim: Claim): Promise<void> {
    const pause = Math.min(FIRST_PAUSE * 2 ** (claim.tries - 1), LONGEST_PAUSE)
    await this.#postpone(claim, pause)
    setTimeout(() => this.wake(), pause + 1).unref()
  }

  async #postpone(claim: Claim, ms: number): Promise<void> {
    try {
      await this.#consumption.log.postpone(claim, Date.now() + ms)
    } catch {
      // It stays taken for as long as it was.
    }
  }

  #rest(): Promise<void> {
    const { every } = this.#consumption
    if (this.#woken) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = every === undefined ? undefined : setTimeout(resolve, every)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function tell({ listener }: Watcher, event: StoreEvent): void {
  const told = async (): Promise<void> => listener(event)
  told().catch(() => undefined)
}

function checkGroup(group: unknown): void {
  const valid = typeof group === 'string' && group !== '' && group.length <= LONGEST_GROUP
  if (valid && group.isWellFormed() && !group.includes('\0')) return
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `The name of a group must be text of 1 to ${LONGEST_GROUP} characters without U+0000.`,
  )
}
