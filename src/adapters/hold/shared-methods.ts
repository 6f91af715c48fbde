import { ServerResponse } from 'node:http'

type Method = (this: object, ...args: unknown[]) => unknown
type ReceiverOf = (
  response: object,
) => { call(name: string, args: readonly unknown[]): unknown } | undefined

const NAMES = ['writeHead', 'writeHeader', 'write', 'end', 'flushHeaders'] as const

/** What a framework puts before Node's own responses, with the methods that were put there. */
interface Host {
  readonly behind: object
  readonly methods: ReadonlyMap<string, Method>
}

const HOSTS = new WeakMap<object, Host | 'none'>()

/**
 * Express gives each response a prototype of its own, after which every property that is added costs
 * that response a shape that it shares with no other. So the methods are put, once, on the object that
 * all its responses inherit from; there they pass on what belongs to a response without a receiver.
 *
 * @returns what is behind the methods, if these are what the response has; undefined if it comes from
 * Node as it is, or if somebody else has put methods of the same names before it
 */
export function sharedMethods(response: object, receiverOf: ReceiverOf): object | undefined {
  const prototype = Object.getPrototypeOf(response) as object
  if (prototype === ServerResponse.prototype) return undefined
  const known = HOSTS.get(prototype)
  const host = known ?? hostOf(prototype, receiverOf)
  if (known === undefined) HOSTS.set(prototype, host)
  return host !== 'none' && hasMethods(response, host) ? host.behind : undefined
}

function hasMethods(response: object, { methods }: Host): boolean {
  return NAMES.every((name) => Reflect.get(response, name) === methods.get(name))
}

function hostOf(prototype: object, receiverOf: ReceiverOf): Host | 'none' {
  const [last, behind] = [lastBeforeNode(prototype), ServerResponse.prototype]
  if (last === undefined || NAMES.some((name) => Object.hasOwn(last, name))) {
    return HOSTS.get(last ?? prototype) ?? 'none'
  }
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

/** The object from which all responses of a framework inherit what Node's responses do not have. */
function lastBeforeNode(prototype: object): object | undefined {
  let last = prototype
  for (;;) {
    const next = Object.getPrototypeOf(last) as object | null
    if (next === null) return undefined
    if (next === ServerResponse.prototype) return last
    last = next
  }
}
