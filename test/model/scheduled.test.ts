import * as fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { SessionStore } from '../../src/store.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { Resurrecting } from '../conformance/broken/commit.ts'
import { IgnoringFence } from '../conformance/broken/rotation.ts'
import { SimpleStore } from '../conformance/simple-store.ts'
import { deeds, race } from './scheduled.ts'

vi.setConfig({ testTimeout: 120_000 })

/** Races in which every call of the store, and every answer, comes when fast-check says so. */
function races(store: () => SessionStore) {
  return fc.asyncProperty(fc.scheduler(), deeds, (scheduler, wanted) => {
    return race(store(), scheduler, wanted)
  })
}

test.each([
  ['the memory store', () => new MemoryStore()],
  ['the store of the documentation', () => new SimpleStore()],
])(
  'parallel requests keep what must be true in every order of calls and answers: %s',
  async (_, store) => {
    await expect(fc.assert(races(store), { numRuns: 600 })).resolves.toBeUndefined()
  },
)

test.each([
  ['revives what has ended', () => new Resurrecting()],
  ['does not look at the fence', () => new IgnoringFence()],
])('a store that %s is found out', async (_title, store) => {
  const found = await fc.check(races(store), { numRuns: 600, endOnFailure: true })
  expect(found.failed).toBe(true)
})
