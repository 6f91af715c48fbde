import type { StoreCapabilities } from '../store.ts'
import type { EngineAccess } from './options.ts'

/** What a check may need: a capability of the store, or something that the run is given. */
export type StoreNeed =
  | 'shared'
  | 'durable'
  | 'userIndex'
  | 'list'
  | 'sweep'
  | 'engineClock'
  | 'expect'
  | 'userCap'
  | 'events'
  | 'eventLog'
  | 'close'
  | 'worker'
  | keyof EngineAccess

/** The parts of a harness that needs are looked up in. */
export interface Offered {
  readonly capabilities: StoreCapabilities
  readonly canStart: boolean
  readonly engine: EngineAccess
  readonly store: { readonly close?: unknown }
}

/** The needs that capabilities answer. Everything else is given to the run or it is not. */
const DECLARED: Readonly<Record<string, (capabilities: StoreCapabilities) => boolean>> = {
  shared: ({ shared }) => shared !== 'process',
  durable: ({ durable }) => durable !== 'no',
  userIndex: ({ userIndex }) => userIndex,
  list: ({ list }) => list,
  sweep: ({ expiry }) => expiry === 'sweep',
  expect: ({ expect }) => expect === true,
  userCap: ({ userCap }) => userCap === true,
  events: ({ events = 'none' }) => events !== 'none',
  eventLog: ({ events }) => events === 'log',
  engineClock: ({ clock }) => clock === 'engine',
}

/** Says which of the needs are not met, or undefined if all are. */
export function lacking(needs: readonly StoreNeed[], offered: Offered): string | undefined {
  const undeclared = needs.filter((need) => DECLARED[need]?.(offered.capabilities) === false)
  if (undeclared.length > 0) return `not declared: ${undeclared.join(', ')}`
  const missing = needs.filter((need) => DECLARED[need] === undefined && !isGiven(need, offered))
  return missing.length > 0 ? `not given: ${missing.join(', ')}` : undefined
}

function isGiven(need: StoreNeed, offered: Offered): boolean {
  if (need === 'worker') return offered.canStart
  if (need === 'close') return offered.store.close !== undefined
  return need in offered.engine
}
