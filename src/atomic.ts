import { setTimeout as delay } from 'node:timers/promises'
import { decode } from './codec.ts'
import { SessionError } from './errors.ts'
import type { Origin, SessionState } from './session-state.ts'

type Change = (value: unknown) => unknown

const MOST_ATTEMPTS = 64
const LONGEST_PAUSE = 32

/**
 * Takes one value in the store, so that of any number of requests exactly one gets it. A value that
 * only this request knows is taken from it.
 */
export async function takeOnce(state: SessionState, name: string): Promise<unknown> {
  const { origin, values, port } = state
  const stored = values.storedText(name)
  if (origin === undefined || stored === 'changed') return takeHere(state, name)
  if (stored.text === undefined) return undefined
  const text = await port.store.take(origin.id, name, origin.record.generation)
  values.adopt(name, undefined)
  return text === undefined ? undefined : decode(text)
}

function takeHere({ values }: SessionState, name: string): unknown {
  const value = values.get(name)
  values.delete(name)
  return value
}

/** Replaces one value in the store by compare-and-set, again and again until nobody was quicker. */
export async function updateOnce(
  state: SessionState,
  name: string,
  change: Change,
): Promise<unknown> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const stored = state.values.storedText(name)
    if (state.origin === undefined || stored === 'changed') return updateHere(state, name, change)
    const outcome = await attemptSwap(state, state.origin, name, stored.text, change)
    if (outcome !== 'conflict') return outcome.value
    await delay(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE))
  }
  throw new SessionError(
    'ERR_SESSION_CONFLICT',
    `update('${name}') lost ${MOST_ATTEMPTS} times against other requests. Try again, or use increment() for counters.`,
  )
}

async function updateHere(
  { values }: SessionState,
  name: string,
  change: Change,
): Promise<unknown> {
  const value = await change(values.get(name))
  if (value === undefined) values.delete(name)
  else values.set(name, value)
  return value
}

async function attemptSwap(
  state: SessionState,
  { id, record }: Origin,
  name: string,
  before: string | undefined,
  change: Change,
): Promise<{ readonly value: unknown } | 'conflict'> {
  const { port, values } = state
  const value = await change(before === undefined ? undefined : decode(before))
  const after = value === undefined ? undefined : values.encode(name, value)
  if (after === before) return { value }
  const outcome = await port.store.swap(id, name, before, after, record.generation)
  if (outcome === false) return reread(state, id, name)
  if (outcome === true) values.adopt(name, after)
  else port.dropped(id, outcome, [name])
  return { value }
}

async function reread(state: SessionState, id: Origin['id'], name: string): Promise<'conflict'> {
  const record = await state.port.store.load(id)
  state.values.adopt(name, record?.values.get(name))
  return 'conflict'
}
