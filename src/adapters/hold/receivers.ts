import { EventEmitter } from 'node:events'
import { keptOf } from '../support/kept.ts'
import type { Receiver } from './response.ts'

/** Listens to `close` of a response. */
export type Listener = (() => void) & { [RECEIVER]?: Receiver }

const RECEIVER: unique symbol = Symbol('sojourn.gate.behind')
const { prototype } = EventEmitter

/**
 * What gets the calls of the methods that a response inherits. It costs the response no property: it is
 * kept with its request. Where that leads elsewhere, since one was put in the place of the other, what
 * listens to the end of the response leads to it.
 */
export function receiverBehind(response: object): Receiver | undefined {
  const held = heldFor(Reflect.get(response, 'req'))
  return held?.response === response ? held.receiver : receiverListening(response)
}

/** Makes a receiver get those calls; `onClose` has to listen to `close` of the response. */
export function receiveBehind(response: object, receiver: Receiver, onClose: Listener): void {
  onClose[RECEIVER] = receiver
  const request: unknown = Reflect.get(response, 'req')
  const kept = isObject(request) ? keptOf(request) : undefined
  if (kept !== undefined) kept.held ??= { response, receiver }
}

function heldFor(request: unknown) {
  return isObject(request) ? keptOf(request)?.held : undefined
}

function receiverListening(response: object): Receiver | undefined {
  for (const listener of prototype.listeners.call(response, 'close')) {
    const receiver = (listener as Listener)[RECEIVER]
    if (receiver !== undefined) return receiver
  }
  return undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
