import { isSessionError } from '../errors.ts'

/** How binding a clause is: without a MUST sessions break; a SHOULD is good conduct. */
export type Level = 'MUST' | 'SHOULD'

/** One clause of a contract with the check that proves it. Checks are data; ids never change. */
export interface Check<Id extends string, Need extends string, Kit> {
  /** The number of the clause, stable for ever. */
  readonly id: Id
  readonly level: Level
  /** What the contract demands, as one or two sentences. */
  readonly clause: string
  /** The behaviour the check looks at, as a sentence. */
  readonly title: string
  /** What must be declared or given for the check to make sense; otherwise it is skipped. */
  readonly needs?: readonly Need[]
  /** Resolves if the clause holds; throws a {@link ConformanceError} if not. */
  run(kit: Kit): Promise<void>
}

/** What a check found: thrown inside checks only, and given its clause by {@link withClauses}. */
export class Breach extends Error {
  override readonly name = 'Breach'
}

/** A clause that does not hold. The message says what was done, what is demanded and where it is written. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
  /** The id of the check. */
  readonly check: string

  constructor(check: string, clause: string, found: string, options?: ErrorOptions) {
    super(`${check}: ${found}. The contract demands (${check}): ${clause}`, options)
    this.check = check
  }
}

/** The same checks, whose failures carry the clause they break. */
export function withClauses<Id extends string, Need extends string, Kit>(
  checks: readonly Check<Id, Need, Kit>[],
): readonly Check<Id, Need, Kit>[] {
  return checks.map((check) => ({ ...check, run: (kit: Kit) => runWithClause(check, kit) }))
}

async function runWithClause<Kit>(check: Check<string, string, Kit>, kit: Kit): Promise<void> {
  try {
    await check.run(kit)
  } catch (cause) {
    throw new ConformanceError(check.id, check.clause, foundBy(cause), { cause })
  }
}

function foundBy(cause: unknown): string {
  if (cause instanceof Breach) return cause.message
  if (isSessionError(cause)) return `a call threw ${cause.code} (${cause.message})`
  return `a call threw ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`
}
