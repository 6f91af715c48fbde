import { HttpError } from './http-error.ts'

/** Arguments by name, in the order in which they came, undecoded. */
export type ArgumentLists = ReadonlyMap<string, readonly Buffer[]>

const MOST_ARGUMENTS = 10_000
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
// Control characters other than white space, of the first 32.
const CONTROLS = /[^\P{Cc}\t-\r\x7f-\x9f]/gu

/**
 * The arguments of a query or of a urlencoded body. Only `&` separates, `+` is a space, blank values
 * are kept, a broken `%` stands for itself.
 *
 * @param text - one character for each byte
 * @throws HttpError 400 for more than 10,000 of them
 */
export function parseArguments(text: string): ArgumentLists {
  const lists = new Map<string, Buffer[]>()
  const pairs = text.split('&', MOST_ARGUMENTS + 1).filter((pair) => pair !== '')
  if (pairs.length > MOST_ARGUMENTS) throw new HttpError(400, 'too many arguments')
  for (const pair of pairs) {
    const end = pair.indexOf('=')
    const name = end === -1 ? pair : pair.slice(0, end)
    const value = end === -1 ? '' : pair.slice(end + 1)
    appendTo(lists, percentDecode(spaced(name)).toString('utf8'), percentDecode(spaced(value)))
  }
  return lists
}

/** Adds a value to the list of a name. */
export function appendTo<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [value])
  else list.push(value)
}

/** The lists of both, those of `first` before those of `second`. */
export function mergeArguments(first: ArgumentLists, second: ArgumentLists): ArgumentLists {
  if (second.size === 0) return first
  const merged = new Map(first)
  for (const [name, values] of second) merged.set(name, [...(merged.get(name) ?? []), ...values])
  return merged
}

/**
 * The text of a value: control characters become spaces, then it is trimmed unless `strip` is false.
 *
 * @throws HttpError 400 if it is not UTF-8
 */
export function argumentText(name: string, value: Buffer, strip: boolean): string {
  const text = decodeUtf8(value, `the argument '${name}'`).replace(CONTROLS, ' ')
  return strip ? text.trim() : text
}

/**
 * A group of the path, percent-decoded; a `+` stays a `+`.
 *
 * @throws HttpError 400 if it is not UTF-8
 */
export function decodePathGroup(group: string): string {
  return decodeUtf8(percentDecode(group), 'the path')
}

function decodeUtf8(bytes: Buffer, what: string): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new HttpError(400, `${what} is not UTF-8`)
  }
}

function spaced(text: string): string {
  return text.replaceAll('+', ' ')
}

function percentDecode(text: string): Buffer {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1')
}
