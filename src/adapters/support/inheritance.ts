/**
 * The object from which all requests, or all responses, of a framework inherit what those of Node do not
 * have: the last one before the prototype of Node. Undefined if there is none, or nothing can be added.
 */
export function lastBefore(node: object, object: object): object | undefined {
  let last = object
  for (;;) {
    const next = Object.getPrototypeOf(last) as object | null
    if (next === null) return undefined
    if (next === node) return last !== object && Object.isExtensible(last) ? last : undefined
    last = next
  }
}
