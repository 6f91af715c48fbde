import type { NodeResponse } from './response.ts'
import { sharedMethods } from './shared-methods.ts'

type Method = (...args: unknown[]) => unknown

/** The methods that write a response, where it has them. */
export interface Writing {
  writeHead: Method
  writeHeader?: Method | undefined
  write: Method
  end: Method
  flushHeaders?: Method | undefined
}

/** Gets the calls of these methods. */
export interface Receiver {
  call(name: string, args: readonly unknown[]): unknown
}

/** The methods that write a response, as they are now; without those of `redirect` if it has no receiver yet. */
export function writingOf(response: NodeResponse & Redirected): Writing {
  const shared = isFree(response) ? behind(response) : undefined
  const { writeHead, writeHeader, write, end, flushHeaders } = asWriting(shared ?? response)
  return { writeHead, writeHeader, write, end, flushHeaders }
}

/** From now on the methods of a response call a receiver. A second one gets the calls before the first. */
export function redirect(response: NodeResponse & Redirected, receiver: Receiver): void {
  if (!isFree(response)) return replace(asWriting(response), methodsOf(receiver))
  if (behind(response) !== undefined) {
    response[BEHIND] = receiver
    return
  }
  response[RECEIVER] = receiver
  replace(asWriting(response), SHARED)
}

const RECEIVER: unique symbol = Symbol('sojourn.gate')
// Two, since methods of its own may lead to those that it inherits: a call must not come round again.
const BEHIND: unique symbol = Symbol('sojourn.gate.behind')

interface Redirected {
  /** Gets the calls of the methods that the response has itself. */
  [RECEIVER]?: Receiver
  /** Gets the calls of the methods that it inherits. */
  [BEHIND]?: Receiver
}

function isFree(response: Redirected): boolean {
  return response[RECEIVER] === undefined && response[BEHIND] === undefined
}

type Replacements = Required<Omit<Writing, 'writeHeader'>>

// The same functions for every response: those that were made for one of them, and with them everything
// of its request, outlive many collections of garbage.
const SHARED: Replacements = {
  writeHead(this: Redirected, ...args) {
    return receiverOf(this).call('writeHead', args)
  },
  write(this: Redirected, ...args) {
    return receiverOf(this).call('write', args)
  },
  end(this: Redirected, ...args) {
    return receiverOf(this).call('end', args)
  },
  flushHeaders(this: Redirected) {
    return receiverOf(this).call('flushHeaders', [])
  },
}

function receiverOf({ [RECEIVER]: receiver }: Redirected): Receiver {
  if (receiver === undefined) throw new TypeError('A method of a response was called without it.')
  return receiver
}

/** What lies behind the methods that all responses of a framework share, if this one has them. */
function behind(response: NodeResponse): object | undefined {
  return sharedMethods(response, receiverIn)
}

function receiverIn(response: Redirected): Receiver | undefined {
  return response[BEHIND]
}

function methodsOf(receiver: Receiver): Replacements {
  return {
    writeHead: (...args) => receiver.call('writeHead', args),
    write: (...args) => receiver.call('write', args),
    end: (...args) => receiver.call('end', args),
    flushHeaders: () => receiver.call('flushHeaders', []),
  }
}

// Written out: to set them by their names would cost more than all the rest.
function replace(own: Writing, { writeHead, write, end, flushHeaders }: Replacements): void {
  own.writeHead = writeHead
  own.write = write
  own.end = end
  if (own.writeHeader !== undefined) own.writeHeader = writeHead
  if (own.flushHeaders !== undefined) own.flushHeaders = flushHeaders
}

// The two kinds of responses declare other overloads of the same methods.
function asWriting(response: object): Writing {
  return response as Writing
}
