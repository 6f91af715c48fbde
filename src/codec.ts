import { Inspection, sizeError } from './codec-inspect.ts'
import type { ValueLimits } from './codec-inspect.ts'
import { formatPath } from './codec-path.ts'
import { corrupt, Reader, write } from './codec-tagged.ts'
import { isSessionError, SessionError } from './errors.ts'

export type { ValueLimits } from './codec-inspect.ts'

/** The limits of one value unless others are given: 1 MiB of UTF-8, 128 levels, 100,000 values. */
export const DEFAULT_VALUE_LIMITS: ValueLimits = Object.freeze({
  bytes: 1_048_576,
  depth: 128,
  nodes: 100_000,
})

/**
 * The text under which a value is stored.
 *
 * What can be stored is a closed list: null, booleans, finite numbers, well-formed text, bigint,
 * valid Dates, Uint8Array (a Buffer comes back as one), dense arrays, plain objects (one without a
 * prototype comes back with the usual one), Map, Set, and `undefined` inside of these. Everything
 * else is refused, with the path to it: classes are not revived, nothing refers to anything, and
 * no `toJSON` or getter is called. Properties that are not enumerable are left out, as JSON does.
 * The same object in two places is stored twice.
 *
 * The text of a value that JSON can hold is its JSON text, so a safe integer is plain decimal.
 * Otherwise it is `~` and JSON in which an object `{"~":[tag, payload]}` stands for a value:
 *
 * | tag | payload |
 * |---|---|
 * | `undefined` | none |
 * | `number` | `"-0"` |
 * | `bigint` | decimal text |
 * | `date` | ms since the epoch |
 * | `bytes` | base64 |
 * | `map` | array of `[key, value]` |
 * | `set` | array |
 * | `object` | an object that has a key `~` itself |
 *
 * Equal values with the same order of keys have equal text: compare texts to find changes.
 *
 * @param limits - what is left out is as in {@link DEFAULT_VALUE_LIMITS}
 * @param name - what the value is called, for the path in messages
 * @throws SessionError `ERR_SESSION_VALUE` or `ERR_SESSION_TOO_LARGE`, with the path and what to do
 */
export function encode(
  value: unknown,
  limits: Partial<ValueLimits> = DEFAULT_VALUE_LIMITS,
  name?: string,
): string {
  const simple = simpleText(value)
  if (simple !== undefined && simple.length * 3 <= (limits.bytes ?? DEFAULT_VALUE_LIMITS.bytes))
    return simple
  const bounds = complete(limits)
  const text = textOf(value, new Inspection(bounds, name))
  if (fits(text, bounds.bytes)) return text
  throw sizeError(formatPath(name === undefined ? [] : [name]), bounds.bytes)
}

/**
 * The value of a stored text. Whatever the text is, the result is a value that {@link encode}
 * accepts under the same limits, or an error.
 *
 * @param limits - as for {@link encode}. `bytes` is not looked at: what was stored stays readable
 * when that limit is lowered.
 * @throws SessionError `ERR_SESSION_CORRUPT` and nothing else; the message holds nothing of the text
 */
export function decode(text: string, limits: Partial<ValueLimits> = DEFAULT_VALUE_LIMITS): unknown {
  if (isPlainText(text)) return text.slice(1, -1)
  try {
    const tagged = text.startsWith('~')
    const parsed: unknown = JSON.parse(tagged ? text.slice(1) : text)
    if (!tagged && isSimple(parsed)) return parsed
    const value = new Reader(complete(limits), tagged).read(parsed, 0)
    if (value !== undefined) return value
  } catch (error) {
    // The message of a SyntaxError quotes the text: it is not passed on, not even as the cause.
    throw isSessionError(error) ? error : corrupt('it is not JSON')
  }
  throw corrupt('it stands for no value')
}

// For a short text a parser takes longer to begin than a pattern takes to match. ASCII is well-formed.
function isPlainText(text: string): boolean {
  return text.length <= SHORT && PLAIN_TEXT.test(text)
}

const SHORT = 64
const PLAIN_TEXT = /^"[ !#-[\]-~]*"$/

// What most sessions hold, and needs no inspection.
function simpleText(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined
  return isSimple(value) ? JSON.stringify(value) : undefined
}

function isSimple(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return typeof value === 'boolean'
}

function complete(limits: Partial<ValueLimits>): ValueLimits {
  const { bytes, depth, nodes } = DEFAULT_VALUE_LIMITS
  return {
    bytes: limits.bytes ?? bytes,
    depth: limits.depth ?? depth,
    nodes: limits.nodes ?? nodes,
  }
}

function textOf(value: unknown, inspection: Inspection): string {
  try {
    if (!inspection.isJson(value)) return `~${write(value)}`
    // Somebody may have given all objects a toJSON; JSON.stringify would call it.
    return 'toJSON' in Array.prototype ? write(value) : JSON.stringify(value)
  } catch (error) {
    throw isSessionError(error) ? error : unreadable(error)
  }
}

// One UTF-16 unit takes one to three bytes of UTF-8: most texts need not be measured.
function fits(text: string, bytes: number): boolean {
  return text.length * 3 <= bytes || (text.length <= bytes && Buffer.byteLength(text) <= bytes)
}

function unreadable(cause: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_VALUE',
    'A session cannot store this: a part of it throws when it is read. Store a plain copy of it.',
    { cause },
  )
}
