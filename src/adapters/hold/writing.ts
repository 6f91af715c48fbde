import type { NodeResponse, Receiver } from './response.ts'
import { receiveBehind, receiverBehind } from './receivers.ts'
import type { Listener } from './receivers.ts'
import { hasMethods, sharedMethods } from './shared-methods.ts'

type Method = (...args: unknown[]) => unknown

/** The methods that write a response, where it has them. */
export interface Writing {
  writeHead: Method
  writeHeader?: Method | undefined
  write: Method
  end: Method
  flushHeaders?: Method | undefined
}

/**
 * From now on the methods of a response call a receiver. A second one gets the calls before the first.
 *
 * @param onClose - what the receiver listens to `close` of the response with, from now on
 * @returns the methods as they were
 */
export function redirect(
  response: NodeResponse & Redirected,
  receiver: Receiver,
  onClose: Listener,
): Writing {
  const shared = sharedMethods(response, receiverBehind)
  const isFree = shared === undefined || receiverBehind(response) === undefined
  response.on('close', onClose)
  if (shared !== undefined && isFree && hasMethods(response, shared)) {
    receiveBehind(response, receiver, onClose)
    return asWriting(shared.behind)
  }
  return redirectOwn(response, receiver, isFree)
}

function redirectOwn(
  response: NodeResponse & Redirected,
  receiver: Receiver,
  isFree: boolean,
): Writing {
  const originals = writingOf(response)
  const isFirst = isFree && response[RECEIVER] === undefined
  if (isFirst) response[RECEIVER] = receiver
  replace(asWriting(response), isFirst ? SHARED : methodsOf(receiver))
  return originals
}

const RECEIVER: unique symbol = Symbol('sojourn.gate')

interface Redirected {
  /** Gets the calls of the methods that the response has itself. */
  [RECEIVER]?: Receiver
}

function writingOf(response: object): Writing {
  const { writeHead, writeHeader, write, end, flushHeaders } = asWriting(response)
  return { writeHead, writeHeader, write, end, flushHeaders }
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
