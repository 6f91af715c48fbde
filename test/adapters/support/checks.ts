import { describe, expect, test } from 'vitest'
import { adapterChecks, runAdapterChecks } from '../../../src/conformance/adapter-checks.ts'
import type { AdapterKitOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import type { Protocol } from '../../../src/conformance/adapter-checks/client.ts'

/** Every check of an adapter, against stores that take no time, a little and much. */
export function checkAdapter(
  name: string,
  serve: AdapterKitOptions['serve'],
  protocols: readonly Protocol[],
): void {
  describe.concurrent.each(protocols)(`${name} over %s`, (protocol) => {
    test.each([0, 5, 200])(
      'passes every check with a store of %d ms',
      async (delay) => {
        const report = await runAdapterChecks(adapterChecks, { serve, protocol, delay })
        const failed = report.results.filter(({ outcome }) => outcome !== 'passed')
        expect(failed.map(({ id, message }) => `${id}: ${message}`)).toEqual([])
        expect(report.passed).toBe(adapterChecks.length)
      },
      60_000,
    )
  })
}
