/**
 * The script of the kit's own processes: opens the store of the module it is given and calls its
 * verbs as messages ask.
 *
 * @module
 */
import { isSessionError } from '../errors.ts'
import type { SessionRecord, SessionStore, StoreCapabilities } from '../store.ts'
import { plain } from './expect.ts'

/** What can be called in the process. */
export type Verb = Exclude<keyof SessionStore, 'capabilities' | 'ready'>

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
  const answers = new Outbox()
  process.on('message', (calls: readonly Call[]) => {
    for (const call of calls) void answer(store, call).then((made) => answers.add(made))
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ capabilities: store.capabilities } satisfies Hello)
}

/** Sends the answers of one moment together. */
class Outbox {
  #answers: Answer[] = []

  add(answer: Answer): void {
    if (this.#answers.length === 0) setImmediate(() => this.#send())
    this.#answers.push(answer)
  }

  #send(): void {
    process.send?.(this.#answers)
    this.#answers = []
  }
}

async function answer(store: SessionStore, { call, verb, args }: Call): Promise<Answer> {
  try {
    const value = await invoke(store, verb, args)
    return { call, value: verb === 'load' ? clonable(value) : value }
  } catch (error) {
    return { call, error: asData(error) }
  }
}

function invoke(store: SessionStore, verb: Verb, args: readonly unknown[]): unknown {
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
