import { type Check, ConformanceError } from './check.ts'
import { show } from './expect.ts'
import { StoreHarness, type StoreCheck } from './harness.ts'
import type { StoreKitOptions } from './options.ts'
import { type CheckResult, Report } from './report.ts'

type AnyCheck<Kit> = Check<string, string, Kit>

/** What checks are run with. */
export interface Harness<C> {
  /** ms after which a check counts as failed. */
  readonly timeout: number
  /** Why a check makes no sense here, or undefined if it does. */
  lacks(check: C): string | undefined
  close(): Promise<void>
}

/**
 * Checks a store and says what it found. It throws only if the store cannot be opened.
 *
 * @param checks - `storeChecks`, or some of them
 * @param began - is told each check before it is run
 */
export async function run(
  checks: readonly StoreCheck[],
  options: StoreKitOptions,
  began?: (check: StoreCheck) => void,
): Promise<Report> {
  const harness = await StoreHarness.open(options)
  try {
    return new Report(subjectOf(harness), await runAll(checks, harness, began))
  } finally {
    await harness.close()
  }
}

/** Runs checks one after the other with a harness that is open already. */
export async function runAll<Kit extends Harness<C>, C extends AnyCheck<Kit>>(
  checks: readonly C[],
  harness: Kit,
  began?: (check: C) => void,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) {
    began?.(check)
    results.push(await runOne(check, harness))
  }
  return results
}

async function runOne<Kit extends Harness<C>, C extends AnyCheck<Kit>>(
  check: C,
  harness: Kit,
): Promise<CheckResult> {
  const { id, level, title } = check
  const why = harness.lacks(check)
  if (why !== undefined) return { id, level, title, outcome: 'skipped', ms: 0, message: why }
  const start = performance.now()
  const error = await limited(check, harness).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const ms = performance.now() - start
  if (error === undefined) return { id, level, title, outcome: 'passed', ms }
  const message = error instanceof Error ? error.message : show(error)
  return { id, level, title, outcome: level === 'MUST' ? 'failed' : 'warned', ms, message }
}

async function limited<Kit extends Harness<C>, C extends AnyCheck<Kit>>(
  check: C,
  harness: Kit,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const found = `it was not done within ${harness.timeout} ms`
    timer = setTimeout(
      () => reject(new ConformanceError(check.id, check.clause, found)),
      harness.timeout,
    )
  })
  try {
    await Promise.race([check.run(harness), late])
  } finally {
    clearTimeout(timer)
  }
}

function subjectOf({ capabilities, processes, writers, rounds }: StoreHarness): string {
  const { engine, shared, durable, expiry, commit, clock } = capabilities
  const declared = `shared: ${shared}, durable: ${durable}, expiry: ${expiry}, commit: ${commit}, clock: ${clock}`
  const where = processes > 0 ? `${processes} processes` : `one process (${whyOne(shared)})`
  return `${engine} (${declared})\nparallel checks: ${rounds} rounds, ${writers.length} writers in ${where}`
}

function whyOne(shared: string): string {
  return shared === 'process' ? 'the store is of one process' : 'no worker was given'
}
