/**
 * The conformance kit: the contracts of sojourn as checks that anyone can run against a store of
 * their own.
 *
 * ```ts
 * import { run, storeChecks } from 'sojourn/conformance'
 *
 * const report = await run(storeChecks, { store: () => new MyStore() })
 * console.log(report.toString())
 * process.exitCode = report.failed === 0 ? 0 : 1
 * ```
 *
 * @module
 */

export { adapterChecks, runAdapterChecks } from './adapter-checks.ts'
export type { CheckAnswer, CheckData, CheckSession } from './adapter-checks/application.ts'
export { CheckApplication } from './adapter-checks/application.ts'
export type { Protocol } from './adapter-checks/client.ts'
export { AdapterHarness } from './adapter-checks/harness.ts'
export type {
  AdapterCheck,
  AdapterKitOptions,
  CheckServer,
  ServeOptions,
} from './adapter-checks/harness.ts'
export { type Check, ConformanceError, type Level } from './check.ts'
export { type StoreCheck, StoreHarness } from './harness.ts'
export type { StoreNeed } from './needs.ts'
export type { EngineAccess, KitClock, StoreKitOptions } from './options.ts'
export { type CheckResult, type Outcome, Report } from './report.ts'
export { type Harness, run, runAll } from './run.ts'
export { storeChecks } from './store-checks.ts'
