import type { Receiver } from '../hold/response.ts'

/**
 * All that is kept with a request, so that it needs one property. Express gives each request and each
 * response a prototype of its own choice, after which a property that is added costs that object a shape
 * which it shares with no other: that takes longer than most of what is done with a session.
 */
export class Kept {
  /** The session of the request: that of the last manager, if there are several. */
  session: unknown
  /** What the property `session` of the request shows. */
  shown: { readonly session: unknown } | undefined
  /** The response that is held for this request, and what gets the calls of its methods. */
  held: { readonly response: object; readonly receiver: Receiver } | undefined
}

const KEPT: unique symbol = Symbol('sojourn.kept')

// Reflect is the cheaper way to look at an object whose shape no other one has.
/** What is kept with a request; undefined if nothing is. */
export function keptOf(request: object): Kept | undefined {
  return Reflect.get(request, KEPT) as Kept | undefined
}

/** The same, from the first call on. */
export function keeping(request: object & { [KEPT]?: Kept }): Kept {
  return keptOf(request) ?? (request[KEPT] = new Kept())
}
