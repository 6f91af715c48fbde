import { credentialChecks } from './adapter-checks/credentials.ts'
import { AdapterHarness } from './adapter-checks/harness.ts'
import type { AdapterCheck, AdapterKitOptions } from './adapter-checks/harness.ts'
import { identityChecks } from './adapter-checks/identities.ts'
import { outageChecks } from './adapter-checks/outages.ts'
import { recordChecks } from './adapter-checks/records.ts'
import { responseChecks } from './adapter-checks/responses.ts'
import { visitChecks } from './adapter-checks/visits.ts'
import { withClauses } from './check.ts'
import { Report } from './report.ts'
import { runAll } from './run.ts'

/**
 * What every adapter owes, as data: a dialogue over HTTP with a server in its framework. An id never
 * changes its meaning.
 */
export const adapterChecks: readonly AdapterCheck[] = withClauses([
  ...visitChecks,
  ...recordChecks,
  ...identityChecks,
  ...responseChecks,
  ...credentialChecks,
  ...outageChecks,
])

/**
 * Checks an adapter and says what it found. With a slow store the checks that do not need it for
 * themselves run all at once.
 *
 * @param checks - `adapterChecks`, or some of them
 * @param began - is told each check before it is run
 */
export async function runAdapterChecks(
  checks: readonly AdapterCheck[],
  options: AdapterKitOptions,
  began?: (check: AdapterCheck) => void,
): Promise<Report> {
  const harness = await AdapterHarness.open(options)
  const together = harness.delay > 50 ? checks.filter(({ alone }) => alone === undefined) : []
  try {
    const results = await Promise.all(together.map((check) => runAll([check], harness, began)))
    const rest = checks.filter((check) => !together.includes(check))
    const subject = `an adapter over ${options.protocol ?? 'http/1.1'}, each call of the store taking ${harness.delay} ms`
    return new Report(subject, [...results.flat(), ...(await runAll(rest, harness, began))])
  } finally {
    await harness.close()
  }
}
