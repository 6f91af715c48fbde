import { withClauses } from './check.ts'
import type { StoreCheck } from './harness.ts'
import { capabilityChecks } from './store-checks/capabilities.ts'
import { commitChecks } from './store-checks/commit.ts'
import { consumerChecks } from './store-checks/consumers.ts'
import { createChecks } from './store-checks/create.ts'
import { destroyChecks } from './store-checks/destroy.ts'
import { engineChecks } from './store-checks/engine.ts'
import { eventChecks } from './store-checks/events.ts'
import { expectationChecks } from './store-checks/expectation.ts'
import { expiryChecks } from './store-checks/expiry.ts'
import { faultChecks } from './store-checks/fault.ts'
import { fenceChecks } from './store-checks/fence.ts'
import { nameChecks } from './store-checks/names.ts'
import { numberChecks } from './store-checks/numbers.ts'
import { processChecks } from './store-checks/processes.ts'
import { rotationChecks } from './store-checks/rotation.ts'
import { singleValueChecks } from './store-checks/single.ts'
import { textChecks } from './store-checks/text.ts'
import { timeChecks } from './store-checks/time.ts'
import { userIndexChecks } from './store-checks/user-index.ts'
import { userCapChecks } from './store-checks/user-cap.ts'
import { userChecks } from './store-checks/user.ts'

/**
 * The contract of a store as data: one check per clause, in the order of their ids. An id never
 * changes its meaning.
 */
export const storeChecks: readonly StoreCheck[] = withClauses(
  [
    ...createChecks,
    ...commitChecks,
    ...destroyChecks,
    ...expiryChecks,
    ...timeChecks,
    ...rotationChecks,
    ...fenceChecks,
    ...numberChecks,
    ...singleValueChecks,
    ...expectationChecks,
    ...userIndexChecks,
    ...userCapChecks,
    ...eventChecks,
    ...consumerChecks,
    ...userChecks,
    ...textChecks,
    ...nameChecks,
    ...engineChecks,
    ...capabilityChecks,
    ...faultChecks,
    ...processChecks,
  ].toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true })),
)
