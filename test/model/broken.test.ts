import * as fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { LastWriteWins, Resurrecting } from '../conformance/broken/commit.ts'
import { IgnoringFence } from '../conformance/broken/rotation.ts'
import { IgnoringExpiry, TouchBeyondDeadline } from '../conformance/broken/time.ts'
import { SimpleStore } from '../conformance/simple-store.ts'
import { steps } from './commands.ts'
import { World } from './world.ts'

vi.setConfig({ testTimeout: 120_000 })
afterEach(() => vi.restoreAllMocks())

/** True if something was found that must not be. */
async function isFoundOut(store: SimpleStore, numRuns: number): Promise<boolean> {
  let time = Date.now()
  vi.spyOn(Date, 'now').mockImplementation(() => time)
  const advance = (ms: number): void => void (time += ms)
  const property = fc.asyncProperty(steps, async (commands) => {
    const world = new World(store, () => time)
    await fc.asyncModelRun(() => ({ model: {}, real: { world, advance } }), commands)
  })
  return (await fc.check(property, { numRuns, endOnFailure: true })).failed
}

test('nothing is found in the store of the documentation', async () => {
  expect(await isFoundOut(new SimpleStore(), 30)).toBe(false)
})

test.each([
  ['revives what has ended', Resurrecting],
  ['writes all of what was loaded', LastWriteWins],
  ['does not look at the fence', IgnoringFence],
  ['finds what has expired', IgnoringExpiry],
  ['extends beyond the absolute end', TouchBeyondDeadline],
])('a store that %s is found out', async (_title, Broken) => {
  expect(await isFoundOut(new Broken(), 600)).toBe(true)
})
