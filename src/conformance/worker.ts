/**
 * The script of the kit's own processes: opens the store of the module it is given and calls its
 * verbs as messages ask.
 *
 * @module
 */
import { isSessionError } from '../errors.ts'
import type {
  SessionRecord,
  SessionStore,
  StopListening,
  StoreCapabilities,
  StoreEvent,
} from '../store.ts'
import { plain } from './expect.ts'

/** What can be called in the process: the verbs, and what ends and answers a listening. */
export type Verb = Exclude<keyof SessionStore, 'capabilities' | 'ready'> | 'stop' | 'handled'

/** A call to the store of the process. */
export interface Call {
  readonly call: number
  readonly verb: Verb
  readonly args: readonly unknown[]
}

/** The answer to a call: a value, or an error as data. */
export interface Answer {
  readonly call: number
  readonly value?: unknown
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string }
}

/** An event for the listener of a call. Whoever gets it calls `handled` with its number. */
export interface Delivery {
  readonly listener: number
  readonly delivery: number
  readonly event: StoreEvent
}

/** Sent once, when the store is open. */
export interface Hello {
  readonly capabilities: StoreCapabilities
}

interface StoreModule {
  store(): SessionStore | Promise<SessionStore>
}

async function serve(moduleUrl: string, skew: number): Promise<void> {
  if (skew !== 0) shiftClock(skew)
  const module = (await import(moduleUrl)) as StoreModule
  const store = await module.store()
  await store.ready?.()
  const outbox = new Outbox()
  const events = new EventPost(store, outbox)
  process.on('message', (calls: readonly Call[]) => {
    for (const call of calls) void answer(store, events, call).then((made) => outbox.add(made))
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ capabilities: store.capabilities } satisfies Hello)
}

/** Sends the answers and events of one moment together. */
class Outbox {
  #messages: (Answer | Delivery)[] = []

  add(message: Answer | Delivery): void {
    if (this.#messages.length === 0) setImmediate(() => this.#send())
    this.#messages.push(message)
  }

  #send(): void {
    process.send?.(this.#messages)
    this.#messages = []
  }
}

/** Passes events on to listeners in the process that started this one, and waits until they are handled. */
class EventPost {
  readonly #store: SessionStore
  readonly #outbox: Outbox
  readonly #stops = new Map<number, StopListening>()
  readonly #waiting = new Map<number, (failed: boolean) => void>()
  #deliveries = 0

  constructor(store: SessionStore, outbox: Outbox) {
    this.#store = store
    this.#outbox = outbox
  }

  async begin({ call, verb, args: [group] }: Call): Promise<void> {
    const listener = (event: StoreEvent): Promise<void> => this.#deliver(call, event)
    const stop =
      verb === 'watch'
        ? await this.#store.watch?.((event) => void listener(event).catch(() => undefined))
        : await this.#store.consume?.(String(group), listener)
    if (stop !== undefined) this.#stops.set(call, stop)
  }

  async stop(listener: unknown): Promise<void> {
    await this.#stops.get(Number(listener))?.()
  }

  handled(delivery: unknown, failed: unknown): void {
    this.#waiting.get(Number(delivery))?.(failed === true)
    this.#waiting.delete(Number(delivery))
  }

  #deliver(listener: number, event: StoreEvent): Promise<void> {
    const delivery = ++this.#deliveries
    this.#outbox.add({ listener, delivery, event })
    return new Promise((resolve, reject) => {
      this.#waiting.set(delivery, (failed) => (failed ? reject(new Error('thrown')) : resolve()))
    })
  }
}

async function answer(store: SessionStore, events: EventPost, call: Call): Promise<Answer> {
  try {
    const value = await invoke(store, events, call)
    return { call: call.call, value: call.verb === 'load' ? clonable(value) : value }
  } catch (error) {
    return { call: call.call, error: asData(error) }
  }
}

function invoke(store: SessionStore, events: EventPost, call: Call): unknown {
  const { verb, args } = call
  if (verb === 'watch' || verb === 'consume') return events.begin(call)
  if (verb === 'stop') return events.stop(args[0])
  if (verb === 'handled') return events.handled(args[0], args[1])
  const method = store[verb] as ((...args: readonly unknown[]) => unknown) | undefined
  return method?.apply(store, args as unknown[])
}

/** Whatever Map a store makes for its values, a real one can be sent. */
function clonable(loaded: unknown): SessionRecord | undefined {
  return loaded === undefined ? undefined : plain(loaded as SessionRecord)
}

function asData(error: unknown): NonNullable<Answer['error']> {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message } = error
  return isSessionError(error) ? { name, message, code: error.code } : { name, message }
}

/** Makes this process believe that it is another time. */
function shiftClock(skew: number): void {
  const realNow = Date.now
  Date.now = () => realNow() + skew
}

const [, , moduleUrl, skew] = process.argv
if (moduleUrl !== undefined) void serve(moduleUrl, Number(skew))
