import { headersHaveLeft, isHttp2 } from './response.ts'
import type { NodeResponse } from './response.ts'

/** What is known of calls that are held back. */
export interface Held {
  /** True if the application has ended the response. */
  readonly ended: boolean
  /** True if the application was told to wait for `drain`. */
  readonly needsDrain: boolean
  add(name: string, args: readonly unknown[]): unknown
}

/** Makes a response look as if the calls that are held back had been made, until `end`. */
export interface Pretence {
  /** The application has ended the response. */
  ended(): void
  end(): void
}

/** Begins to pretend. What is on the response itself, not behind it, is replaced there, at a higher price. */
export function pretend(response: NodeResponse, held: Held): Pretence {
  const hasOwn = NAMES.some((name) => Object.hasOwn(response, name))
  const isHeld = (response as Holding)[HELD] !== undefined
  return hasOwn || isHeld ? new OwnPretence(response, held) : new SharedPretence(response, held)
}

/**
 * The same for a response that is ended by the call that is held back, as most are. Then it takes no more
 * than what Node's own responses go by themselves.
 */
export function pretendEnd(response: NodeResponse, held: Held): Pretence {
  const hasFields = Object.hasOwn(response, HEADER) && Object.hasOwn(response, 'finished')
  const ended = response as NodeResponse & Ended
  const hasBegun = hasFields && (ended[HEADER] !== null || ended.finished)
  return hasFields && !hasBegun ? new EndedPretence(ended) : pretend(response, held)
}

/** Where a response of HTTP/1 has the text of its headers: they count as sent when there is one. */
const HEADER = '_header'

interface Ended {
  [HEADER]: string | null
  finished: boolean
}

class EndedPretence implements Pretence {
  readonly #response: Ended

  constructor(response: Ended) {
    this.#response = response
  }

  ended(): void {
    this.#response[HEADER] = 'held'
    this.#response.finished = true
  }

  end(): void {
    this.#response[HEADER] = null
    this.#response.finished = false
  }
}

const HELD: unique symbol = Symbol('sojourn.held')

type Holding = NodeResponse & { [HELD]?: Held | undefined; finished?: boolean }

type Descriptors = Readonly<Record<string, PropertyDescriptor>>

/** The properties that differ meanwhile. */
function descriptorsOf(heldOf: (response: Holding) => Held | undefined): Descriptors {
  const shown = (get: (held: Held | undefined) => unknown): PropertyDescriptor => ({
    get(this: Holding) {
      return get(heldOf(this))
    },
    configurable: true,
  })
  const refused: PropertyDescriptor = {
    value(this: Holding) {
      throw headersHaveLeft(this)
    },
    configurable: true,
    writable: true,
  }
  const queued = (name: string): PropertyDescriptor => ({
    value(this: Holding, ...args: unknown[]) {
      return heldOf(this)?.add(name, args)
    },
    configurable: true,
    writable: true,
  })
  return {
    headersSent: shown(() => true),
    writableEnded: shown((held) => held?.ended),
    writableNeedDrain: shown((held) => held?.needsDrain),
    finished: shown((held) => held?.ended),
    setHeader: refused,
    setHeaders: refused,
    appendHeader: refused,
    removeHeader: refused,
    cork: queued('cork'),
    uncork: queued('uncork'),
  }
}

const SHARED = descriptorsOf((response) => response[HELD])
// `finished` is on a response of HTTP/1 itself, and may be written.
const NAMES = Object.keys(SHARED).filter((name) => name !== 'finished')
const PROTOTYPES = new WeakMap<object, object>()

/** Behind the response comes a prototype that all responses of its kind share, and then its own. */
class SharedPretence implements Pretence {
  readonly #response: Holding
  readonly #prototype: object

  constructor(response: Holding, held: Held) {
    this.#response = response
    this.#prototype = Object.getPrototypeOf(response) as object
    response[HELD] = held
    if (!isHttp2(response)) settleShape(response)
    Object.setPrototypeOf(response, pretending(this.#prototype))
  }

  ended(): void {
    if (Object.hasOwn(this.#response, 'finished')) this.#response.finished = true
  }

  end(): void {
    const response = this.#response
    if (Object.hasOwn(response, 'finished')) response.finished = false
    response[HELD] = undefined
    if (Object.getPrototypeOf(response) !== pretending(this.#prototype)) return
    Object.setPrototypeOf(response, this.#prototype)
  }
}

// V8 does not share the shape of an object that gets a property after its prototype was replaced: every
// response would have one of its own. What Node adds when the headers leave is added before.
function settleShape(response: NodeResponse): void {
  const { statusCode, statusMessage } = response
  response.statusCode = statusCode
  response.statusMessage = statusMessage
}

function pretending(prototype: object): object {
  const known = PROTOTYPES.get(prototype)
  if (known !== undefined) return known
  const present = Object.entries(SHARED).filter(([name]) => name in prototype)
  const made = Object.create(prototype, Object.fromEntries(present)) as object
  PROTOTYPES.set(prototype, made)
  return made
}

/** The properties are put on the response itself, in place of what is there. */
class OwnPretence implements Pretence {
  readonly #response: Holding
  readonly #replaced = new Map<string, PropertyDescriptor | undefined>()

  constructor(response: Holding, held: Held) {
    this.#response = response
    for (const [name, descriptor] of Object.entries(descriptorsOf(() => held))) {
      if (!(name in response)) continue
      this.#replaced.set(name, Object.getOwnPropertyDescriptor(response, name))
      Object.defineProperty(response, name, descriptor)
    }
  }

  ended(): void {
    // What is shown asks for it.
  }

  end(): void {
    for (const [name, descriptor] of this.#replaced) {
      Reflect.deleteProperty(this.#response, name)
      if (descriptor !== undefined) Object.defineProperty(this.#response, name, descriptor)
    }
  }
}
