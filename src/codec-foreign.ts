/** Why an object that is none of the types on the list cannot be stored, and what to do instead. */
export interface Foreign {
  readonly reason: string
  readonly advice: string
}

const LONGEST_CLASS_NAME = 64
const COPY =
  'It comes from another realm or its prototype was changed: store a copy, structuredClone(it).'

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['Object', COPY],
  ['Array', COPY],
  ['Date', COPY],
  ['Map', COPY],
  ['Set', COPY],
  ['Uint8Array', COPY],
  ['RegExp', 'Store its source and flags as text.'],
  ['Promise', 'Await it first.'],
  ['URL', 'Store its href.'],
  ['Number', 'Store the number itself, not an object around it.'],
  ['String', 'Store the text itself, not an object around it.'],
  ['Boolean', 'Store true or false itself, not an object around it.'],
  ['ArrayBuffer', 'Wrap it: new Uint8Array(buffer).'],
])

/**
 * Names the class of an object by its prototype, without running code of the object.
 *
 * @param prototype - of an object that is none of the types that can be stored
 */
export function describeForeign(prototype: unknown): Foreign {
  const name = classNameOf(prototype)
  return name === undefined
    ? { reason: 'inherits from another object', advice: 'Store a plain copy: { ...it }.' }
    : {
        reason: `is an instance of class ${name}`,
        advice: ADVICE.get(name) ?? adviceFor(prototype),
      }
}

function classNameOf(prototype: unknown): string | undefined {
  const name = ownValue(ownValue(prototype, 'constructor'), 'name')
  return typeof name === 'string' && name !== '' ? name.slice(0, LONGEST_CLASS_NAME) : undefined
}

function adviceFor(prototype: unknown): string {
  return prototype instanceof Object && 'BYTES_PER_ELEMENT' in prototype
    ? 'Store its bytes as a Uint8Array, or its numbers as an array.'
    : 'Store its data as a plain object and make the instance again after reading.'
}

function ownValue(holder: unknown, name: string): unknown {
  const isHolder = typeof holder === 'function' || (typeof holder === 'object' && holder !== null)
  return isHolder ? Object.getOwnPropertyDescriptor(holder, name)?.value : undefined
}
