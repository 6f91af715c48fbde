import { ServerResponse } from 'node:http'
import { lastBefore } from '../support/inheritance.ts'
import type { Receiver } from './response.ts'

type Method = (this: object, ...args: unknown[]) => unknown
type ReceiverOf = (response: object) => Receiver | undefined

const NAMES = ['writeHead', 'writeHeader', 'write', 'end', 'flushHeaders'] as const

/** The methods that were put before Node's own responses. */
export interface SharedMethods {
  /** What has Node's. */
  readonly behind: object
  readonly methods: ReadonlyMap<string, Method>
}

const HOSTS = new WeakMap<object, SharedMethods | 'none'>()

/**
 * Express gives each response a prototype of its own choice, after which every property that is added
 * costs that response a shape that it shares with no other. So the methods are put, once, on the object
 * that all its responses inherit from; there they pass on what belongs to a response without a receiver.
 *
 * @returns undefined if the response comes from Node as it is, or if somebody else has put methods of the
 * same names there
 */
export function sharedMethods(response: object, receiverOf: ReceiverOf): SharedMethods | undefined {
  const prototype = Object.getPrototypeOf(response) as object
  if (prototype === ServerResponse.prototype) return undefined
  const known = HOSTS.get(prototype)
  const host = known ?? hostOf(response, receiverOf)
  if (known === undefined) HOSTS.set(prototype, host)
  return host === 'none' ? undefined : host
}

/** True if these are what a response has: nobody has put others before them. */
export function hasMethods(response: object, { methods }: SharedMethods): boolean {
  return NAMES.every((name) => Reflect.get(response, name) === methods.get(name))
}

function hostOf(response: object, receiverOf: ReceiverOf): SharedMethods | 'none' {
  const behind = ServerResponse.prototype
  const last = lastBefore(behind, response)
  if (last === undefined) return 'none'
  const known = HOSTS.get(last)
  if (known !== undefined) return known
  if (NAMES.some((name) => Object.hasOwn(last, name))) return 'none'
  const methods = new Map(NAMES.map((name) => [name, methodOf(name, behind, receiverOf)]))
  for (const [name, value] of methods) {
    Object.defineProperty(last, name, { value, configurable: true, writable: true })
  }
  const host = { behind, methods }
  HOSTS.set(last, host)
  return host
}

function methodOf(name: string, behind: object, receiverOf: ReceiverOf): Method {
  return function (this: object, ...args) {
    const receiver = receiverOf(this)
    if (receiver !== undefined) return receiver.call(name, args)
    return Reflect.apply(Reflect.get(behind, name) as Method, this, args)
  }
}
