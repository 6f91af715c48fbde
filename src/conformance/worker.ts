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
  process.on('message', (call: Call) => void answer(store, call))
  process.on('disconnect', () => process.exit())
  process.send?.({ capabilities: store.capabilities } satisfies Hello)
}

async function answer(store: SessionStore, { call, verb, args }: Call): Promise<void> {
  try {
    const value = await invoke(store, verb, args)
    process.send?.({ call, value: verb === 'load' ? clonable(value) : value } satisfies Answer)
  } catch (error) {
    process.send?.({ call, error: asData(error) } satisfies Answer)
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
