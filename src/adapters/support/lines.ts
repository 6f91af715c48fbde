import type { HeaderLine } from '../hold/response.ts'

/** Headers of a response, as far as lines are put into them. */
export interface HeaderTarget {
  get(name: string): string | undefined
  set(name: string, value: string): void
  append(name: string, value: string): void
}

/**
 * Puts the lines of a session among the headers of the application: every Set-Cookie of its own stays,
 * `Vary` grows, and `Cache-Control` is replaced, because a response that sets the cookie must not be
 * kept by a cache even if the application calls it public (CVE-2026-35192).
 */
export function addLines(target: HeaderTarget, lines: readonly HeaderLine[]): void {
  for (const [name, value] of lines) addLine(target, name, value)
}

function addLine(target: HeaderTarget, name: string, value: string): void {
  switch (name.toLowerCase()) {
    case 'cache-control':
      return target.set(name, value)
    case 'vary':
      return target.set(name, withVary(target.get(name), value))
    default:
      return target.append(name, value)
  }
}

/** A Vary header that names one more request header. */
export function withVary(present: string | undefined, name: string): string {
  if (present === undefined || present === '') return name
  const names = present.split(',').map((one) => one.trim().toLowerCase())
  return names.includes('*') || names.includes(name.toLowerCase()) ? present : `${present}, ${name}`
}

/**
 * The lines of two commits of one response: of two cookies the later one counts, so that ours is sent
 * at most once.
 */
export function mergeLines(
  earlier: readonly HeaderLine[],
  later: readonly HeaderLine[],
): readonly HeaderLine[] {
  if (earlier.length === 0) return later
  if (later.length === 0) return earlier
  const replaced = new Set(later.map(([name]) => name))
  return [...earlier.filter(([name]) => !replaced.has(name)), ...later]
}
