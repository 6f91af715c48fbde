import { SessionError } from './errors.ts'

/**
 * Refuses option names that do not exist, with the nearest one that does, and what is no object.
 *
 * @param given - the options as the caller wrote them
 * @param known - every valid name
 * @param where - where they were written, as the message shall say it: `SessionManager`, `cookie`
 * @throws SessionError `ERR_SESSION_OPTION`
 */
export function refuseUnknownNames(given: object, known: readonly string[], where: string): void {
  if (!isObject(given)) {
    throw new SessionError('ERR_SESSION_OPTION', `${where} takes an object of options.`)
  }
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw unknownName(name, known, where)
  }
}

function isObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null
}

function unknownName(name: string, known: readonly string[], where: string): SessionError {
  const near = nearestName(name, known)
  const hint = near === undefined ? `It knows ${known.join(', ')}.` : `Did you mean '${near}'?`
  return new SessionError('ERR_SESSION_OPTION', `${where} has no option '${name}'. ${hint}`)
}

/** The known name that is nearest to `name` by edit distance, if any is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[right.length] ?? 0
}
