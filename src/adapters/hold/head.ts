import { addLines } from '../support/lines.ts'
import type { HeaderTarget } from '../support/lines.ts'
import { isHttp2 } from './response.ts'
import type { HeaderLine, NodeResponse } from './response.ts'

/** What was given to `writeHead`, in whichever of its forms. */
interface Head {
  readonly status: number
  readonly message: string | undefined
  readonly headers: readonly (readonly [name: string, value: unknown])[]
}

/** Appends lines to the headers of a response that has not begun. */
export function appendLines(response: NodeResponse, lines: readonly HeaderLine[]): void {
  if (lines.length > 0) addLines(new Headers(response), lines)
}

/**
 * The arguments of `writeHead` with lines among the headers that were given to it; undefined if others were
 * set before, or if these are no object. Headers that were never set cost Node less.
 */
export function joinHead(
  response: NodeResponse,
  args: readonly unknown[],
  lines: readonly HeaderLine[],
): readonly unknown[] | undefined {
  const headers = args.at(-1)
  if (args.length < 2 || typeof headers !== 'object' || headers === null) return undefined
  if (Array.isArray(headers) || isHttp2(response) || hasHeaders(response)) return undefined
  // V8 takes ten times as long to add a property to what was copied by spreading.
  const joined = Object.assign<Record<string, unknown>, object>({}, headers)
  addLines(new GivenHeaders(joined), lines)
  return [...args.slice(0, -1), joined]
}

/** True if a header of a response is set. */
export function hasHeaders(response: NodeResponse): boolean {
  return response.getHeaderNames().length > 0
}

/** The headers of one call of `writeHead`, whose names may be in any case. */
class GivenHeaders implements HeaderTarget {
  readonly #headers: Record<string, unknown>

  constructor(headers: Record<string, unknown>) {
    this.#headers = headers
  }

  get(name: string): string | undefined {
    const value = this.#headers[this.#keyOf(name)]
    return Array.isArray(value) ? value.join(', ') : value?.toString()
  }

  set(name: string, value: string): void {
    this.#headers[this.#keyOf(name)] = value
  }

  append(name: string, value: string): void {
    const key = this.#keyOf(name)
    const present: unknown[] = [this.#headers[key] ?? []].flat()
    if (!present.includes(value)) this.#headers[key] = [...present, value]
  }

  #keyOf(name: string): string {
    const isIt = (key: string): boolean =>
      key.length === name.length && key.toLowerCase() === name.toLowerCase()
    return Object.keys(this.#headers).find(isIt) ?? name
  }
}

class Headers implements HeaderTarget {
  readonly #response: NodeResponse

  constructor(response: NodeResponse) {
    this.#response = response
  }

  get(name: string): string | undefined {
    const value = this.#response.getHeader(name)
    return typeof value === 'object' ? value.join(', ') : value?.toString()
  }

  set(name: string, value: string): void {
    this.#response.setHeader(name, value)
  }

  append(name: string, value: string): void {
    const present = [this.#response.getHeader(name) ?? []].flat()
    if (!present.includes(value)) this.#response.appendHeader(name, value)
  }
}

/**
 * Makes the headers that were given to `writeHead` headers of the response, so that others can be put
 * beside them. What is wrong with them is thrown here, as `writeHead` would throw it.
 *
 * @returns the arguments that are left for `writeHead`
 */
export function applyHead(response: NodeResponse, args: readonly unknown[]): [number, ...string[]] {
  const { status, message, headers } = headOf(args)
  for (const [name, value] of grouped(headers)) response.setHeader(name, value)
  return message === undefined ? [status] : [status, message]
}

function headOf([status, second, third]: readonly unknown[]): Head {
  const message = typeof second === 'string' ? second : undefined
  const headers = entriesOf(third ?? (message === undefined ? second : undefined))
  return { status: checkStatus(status), message, headers }
}

function checkStatus(given: unknown): number {
  const status = Math.trunc(Number(given))
  if (status >= 100 && status <= 999) return status
  throw Object.assign(new RangeError(`${String(given)} is not a status code.`), {
    code: 'ERR_HTTP_INVALID_STATUS_CODE',
  })
}

// An object, an array of names and values in turn, or an array of pairs.
function entriesOf(headers: unknown): [string, unknown][] {
  if (!Array.isArray(headers)) return Object.entries(headers ?? {})
  if (Array.isArray(headers[0])) return headers.map(([name, value]) => [String(name), value])
  if (headers.length % 2 !== 0) throw oddHeaders()
  return headers.flatMap((name, index) =>
    index % 2 === 0 ? [[String(name), headers[index + 1]] as [string, unknown]] : [],
  )
}

function oddHeaders(): Error {
  return Object.assign(new TypeError('An array of headers needs a value for every name.'), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
}

// A name that is given twice is sent twice; only what is set together can be set at all.
function grouped(headers: Head['headers']): Iterable<[string, string | string[]]> {
  const groups = new Map<string, [string, unknown[]]>()
  for (const [name, value] of headers) {
    if (name === '') continue
    const group = groups.get(name.toLowerCase())
    if (group === undefined) groups.set(name.toLowerCase(), [name, [value]])
    else group[1].push(value)
  }
  return [...groups.values()].map(([name, values]) => [name, headerValue(values)])
}

// Node checks the value of a header itself.
function headerValue(values: readonly unknown[]): string | string[] {
  return (values.length === 1 ? values[0] : values.flat()) as string | string[]
}

/** What a response was before the application touched it, to go back to when its answer is discarded. */
export class HeadBefore {
  readonly #status: number
  readonly #headers: Readonly<Record<string, unknown>>

  constructor(response: NodeResponse) {
    this.#status = response.statusCode
    this.#headers = response.getHeaders()
  }

  restore(response: NodeResponse): void {
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    for (const [name, value] of Object.entries(this.#headers)) {
      response.setHeader(name, value as string | string[])
    }
    response.statusCode = this.#status
    if (response.statusMessage !== '') response.statusMessage = ''
  }
}
