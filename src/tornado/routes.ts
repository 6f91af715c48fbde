import { SessionError } from '../errors.ts'
import { decodePathGroup } from './request-arguments.ts'

/** What the groups of a route matched: in order, or by name if they have names. */
export type PathArguments =
  | readonly [Readonly<Record<string, string | undefined>>]
  | readonly (string | undefined)[]

/** A route as it is looked for. */
export interface CompiledRoute<Target> {
  readonly target: Target
  readonly name: string | undefined
  readonly pattern: RegExp
  /** The texts between the groups, or undefined if a path cannot be made from the pattern. */
  readonly pieces: readonly string[] | undefined
}

/**
 * Compiles the pattern of a route. The whole path has to match it, not just its beginning.
 *
 * @param pattern - a regular expression; named groups are written `(?<name>…)` or `(?P<name>…)`
 * @throws SessionError `ERR_SESSION_OPTION` if it is no pattern, or only some of its groups have names
 */
export function compileRoute<Target>(
  pattern: string | RegExp,
  target: Target,
  name: string | undefined,
): CompiledRoute<Target> {
  const source = typeof pattern === 'string' ? pattern.replaceAll('(?P<', '(?<') : pattern.source
  const flags = typeof pattern === 'string' ? '' : pattern.flags.replace(/[gyd]/g, '')
  const inner = source.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  const compiled = compile(inner, flags)
  const { groups, names } = countGroups(inner, flags)
  if (names > 0 && names < groups) {
    throw wrong(`The route '${source}' names only some of its groups. Name all of them or none.`)
  }
  return { target, name, pattern: compiled, pieces: piecesOf(inner, groups) }
}

/**
 * The groups of a path that the route matches, percent-decoded; undefined if it does not match.
 *
 * @param path - percent-encoded
 * @returns a function, because a group that is not UTF-8 is an error of the request, not of the match
 */
export function matchRoute(
  route: CompiledRoute<unknown>,
  path: string,
): (() => PathArguments) | undefined {
  const match = route.pattern.exec(path)
  if (match === null) return undefined
  const { groups } = match
  if (groups === undefined) return () => match.slice(1).map(decodeGroup)
  return () => {
    const entries = Object.entries(groups).map(([name, text]) => [name, decodeGroup(text)] as const)
    return [Object.fromEntries(entries)]
  }
}

/**
 * The path of a route with these arguments in place of its groups.
 *
 * @throws SessionError `ERR_SESSION_MISUSE` for another number of arguments, or a pattern from which
 * no path can be made
 */
export function reverseRoute(route: CompiledRoute<unknown>, values: readonly unknown[]): string {
  const { pieces, name = '' } = route
  if (pieces === undefined) {
    throw misuse(
      `No path can be made from the pattern of route '${name}': it has more than plain groups.`,
    )
  }
  if (values.length !== pieces.length - 1) {
    throw misuse(`Route '${name}' has ${pieces.length - 1} groups and got ${values.length} values.`)
  }
  return pieces
    .map((piece, index) => (index === 0 ? '' : encoded(values[index - 1])) + piece)
    .join('')
}

function decodeGroup(group: string | undefined): string | undefined {
  return group === undefined ? undefined : decodePathGroup(group)
}

function encoded(value: unknown): string {
  return encodeURIComponent(String(value)).replaceAll('%2F', '/')
}

function compile(source: string, flags: string): RegExp {
  try {
    return new RegExp(`^(?:${source})$`, flags)
  } catch (cause) {
    throw wrong(`The route '${source}' is not a regular expression.`, cause)
  }
}

function countGroups(source: string, flags: string): { groups: number; names: number } {
  const match = new RegExp(`(?:${source})|`, flags).exec('')
  const names = Object.keys(match?.groups ?? {}).length
  return { groups: (match?.length ?? 1) - 1, names }
}

// Plain text and groups that hold no other group; everything else cannot be reversed.
function piecesOf(source: string, groups: number): readonly string[] | undefined {
  const pieces = source.split(/\((?!\?[:=!])(?:[^()\\]|\\.)*\)/)
  if (pieces.length !== groups + 1) return undefined
  const plain = pieces.map((piece) => piece.replace(/\\([^0-9a-zA-Z])/g, '$1'))
  return pieces.every(isPlainText) ? plain : undefined
}

function isPlainText(piece: string): boolean {
  return !/[()[\]{}*+?|^$\\]/.test(piece.replace(/\\[^0-9a-zA-Z]/g, ''))
}

function wrong(message: string, cause?: unknown): SessionError {
  return new SessionError('ERR_SESSION_OPTION', message, { cause })
}

function misuse(message: string): SessionError {
  return new SessionError('ERR_SESSION_MISUSE', message)
}
