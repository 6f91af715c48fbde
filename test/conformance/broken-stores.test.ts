import { expect, test, vi } from 'vitest'
import { ConformanceError, StoreHarness, storeChecks } from '../../src/conformance/index.ts'
import type { SessionStore } from '../../src/store.ts'
import { accessTo } from './broken/access.ts'
import * as commit from './broken/commit.ts'
import * as create from './broken/create.ts'
import * as engine from './broken/engine.ts'
import * as events from './broken/events.ts'
import * as limits from './broken/limits.ts'
import * as rotation from './broken/rotation.ts'
import * as single from './broken/single.ts'
import * as time from './broken/time.ts'
import { SimpleStore } from './simple-store.ts'

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

/** How long the kit waits: a third of it for each event. */
const PATIENCE = 3000

/** Every broken store with checks that must catch it. */
const caught: readonly (readonly [new () => SessionStore, ...ids: string[]])[] = [
  [create.CreatingLoad, 'S1'],
  [create.ForgettingClient, 'S2'],
  [create.FillingFields, 'S2b'],
  [create.OverwritingCreate, 'S3'],
  [create.TwoStepCreate, 'S4'],
  [create.SharedObjects, 'S10'],
  [create.DestroyAlwaysTrue, 'S1b', 'S15', 'S15b', 'S17d'],
  [create.LeavingValues, 'S15c', 'S16'],
  [create.KeepingHistory, 'S16', 'S16b'],
  [create.TrimmingTexts, 'S39'],
  [create.ShortTexts, 'S39b'],
  [create.Truncating, 'S39c'],
  [create.ReservedName, 'S40'],
  [create.ObjectValues, 'S40'],
  [create.EmptyNameIsNoName, 'S40b'],
  [create.AtMost256Names, 'S40c'],
  [create.EmptyIsMissing, 'S41'],
  [commit.SetBeforeUnset, 'S5b'],
  [commit.ClearKeepsOthers, 'S5c'],
  [commit.LyingAnswer, 'S5d'],
  [commit.EmptyCommitIsGone, 'S5e'],
  [commit.TornReads, 'S5f'],
  [commit.LastWriteWins, 'S6', 'S6b'],
  [commit.Blending, 'S7'],
  [commit.WholeRecord, 'S8', 'S6'],
  [commit.Resurrecting, 'S1b', 'S11', 'S11b', 'S13', 'S13b', 'S17b'],
  [commit.MovingOn, 'S14'],
  [commit.NonAtomicAdd, 'S28', 'S28c'],
  [commit.SumsAsFractions, 'S28b'],
  [commit.CoercingAdd, 'S28c', 'S28e'],
  [commit.UnsafeSums, 'S28d'],
  [commit.HalfApplied, 'S28e', 'S28f'],
  [commit.NumbersFirst, 'S28g'],
  [commit.ExpectingNothing, 'S69'],
  [commit.ExpectingLoosely, 'S69b', 'S69c', 'S69d'],
  [time.ResurrectingTouch, 'S12', 'S21b'],
  [time.IgnoringExpiry, 'S17', 'S17b', 'S17c', 'S19c', 'S20b'],
  [time.NoTouch, 'S18'],
  [time.ShorteningTouch, 'S18b', 'S18c'],
  [time.TouchBeyondDeadline, 'S18c', 'S19c'],
  [time.StaleTouch, 'S18d'],
  [time.TwoStepTouch, 'S18e'],
  [time.CommitBeyondDeadline, 'S19', 'S19c'],
  [time.RenewResetsDeadline, 'S19'],
  [time.DeadlineOnlyGrows, 'S19b', 'S20b'],
  [time.CommitDoesNotExtend, 'S20'],
  [time.EagerTouch, 'S21'],
  [time.Immortal, 'S22'],
  [rotation.RenewalIsAFence, 'S23', 'S24', 'S25'],
  [rotation.StrictGeneration, 'S23b', 'S23c', 'S24', 'S25'],
  [rotation.EveryRenewalCounts, 'S23c', 'S24'],
  [rotation.IgnoringFence, 'S24b', 'S25b', 'S26'],
  [rotation.FenceOneTooLow, 'S25c', 'S24b'],
  [rotation.RevertingIdentity, 'S5', 'S26c', 'S64b'],
  [rotation.FencelessSwap, 'S26b'],
  [rotation.LateRotation, 'S27'],
  [rotation.LoginWithoutTime, 'S64'],
  [rotation.LogoutKeepsTheTime, 'S64b'],
  [rotation.RememberingSticks, 'S65'],
  [rotation.LoginIsANewSession, 'S66'],
  [single.SwapIgnoringBefore, 'S29', 'S29d'],
  [single.LooseSwap, 'S29b'],
  [single.EmptyIsAbsent, 'S29c'],
  [single.WholeRecordSwap, 'S29e'],
  [single.SwapExtends, 'S29f'],
  [single.NonAtomicTake, 'S30', 'S26b'],
  [single.EmptyIsNotTaken, 'S30b'],
  [single.RewritingTake, 'S30c'],
  [single.TakesEverything, 'S31'],
  [engine.IndexedAtCreate, 'S32', 'S32b'],
  [engine.IndexNeverForgets, 'S32b', 'S32e', 'S32f'],
  [engine.IndexKeepsTheDead, 'S32c'],
  [engine.IndexWithoutCase, 'S32d'],
  [limits.CountsBefore, 'S34', 'S34b'],
  [limits.EvictsTheNewest, 'S34c'],
  [limits.RefusesAfterwards, 'S34c'],
  [limits.CountsItself, 'S34d'],
  [limits.CountsTheExpired, 'S34d'],
  [limits.MakesRoomFirst, 'S34e'],
  [limits.BlinkingIndex, 'S35'],
  [events.EverySweeperTells, 'S36'],
  [events.ExpiresTheDestroyed, 'S37'],
  [events.TellsEveryCommit, 'S38'],
  [events.SilentLogout, 'S38b'],
  [events.TellsEvictionAsDestroy, 'S38c'],
  [events.TellsNobody, 'S38d'],
  [events.ListensForEver, 'S38e'],
  [events.SkipsWhatComesLate, 'S38j'],
  [events.EveryConsumerGetsAll, 'S38f'],
  [events.TriesOnce, 'S38g'],
  [events.ForgetfulGroup, 'S38i'],
  [engine.ListsTheDead, 'S33'],
  [engine.ListsOnePage, 'S33'],
  [engine.CountingCursor, 'S33b'],
  [engine.Unreadable, 'S42', 'S42b'],
  [engine.Retrying, 'S45', 'S45b'],
  [engine.SwallowingErrors, 'S46b'],
  [engine.GreedySweep, 'S48'],
  [engine.SweepsTheLiving, 'S48', 'S48b'],
  [engine.SweepsRecordsOnly, 'S48c'],
  [engine.Boasting, 'S67'],
  [engine.Modest, 'S67'],
  [engine.Lonely, 'S2c', 'S43', 'S46'],
]

/** Checks that look at other processes: lonely stores are caught by them in tests of their own. */
const inProcesses = ['S47', 'S47b', 'S68']
const ofConsumers = ['S38h']

for (const [Store, ...ids] of caught) {
  test(`${Store.name} is caught by ${ids.join(', ')}`, async () => {
    for (const id of ids) expect(await failure(Store, id)).toMatchObject({ check: id })
  })
}

test('every check catches a store that breaks its clause', () => {
  const ids = new Set([...inProcesses, ...ofConsumers, ...caught.flatMap(([, ...ids]) => ids)])
  expect(storeChecks.filter(({ id }) => !ids.has(id)).map(({ id }) => id)).toEqual([])
})

const correct = [SimpleStore, engine.IndexedStore, commit.ExpectingStore, events.TellingStore]

test('the correct stores that the broken ones derive from are not caught', async () => {
  for (const { id } of storeChecks) {
    for (const Store of correct) {
      expect(await failure(Store, id)).toBeUndefined()
    }
  }
})

test.each([
  ['sessions that another process does not find are', 'lonely', engine.Lonely, inProcesses],
  [
    'events that another process does not hear are',
    'lonely-teller',
    events.LonelyTeller,
    ofConsumers,
  ],
] as const)('%s caught', async (_, worker, Store, ids: readonly string[]) => {
  const kit = await StoreHarness.open({
    store: () => new Store(),
    worker: new URL(`broken/${worker}.worker.ts`, import.meta.url),
    execArgv: ['--import', 'tsx'],
    processes: 1,
    timeout: PATIENCE,
  })
  try {
    for (const check of storeChecks.filter(({ id }) => ids.includes(id))) {
      await expect(check.run(kit)).rejects.toMatchObject({ check: check.id })
    }
  } finally {
    await kit.close()
  }
})

test('a failure says what the store did, what the contract demands, and the clause', async () => {
  const error = await failure(engine.ListsTheDead, 'S33')
  expect(error?.message).toMatch(
    /^S33: list shows a session .*\. The contract demands \(S33\): The pages of `list`/,
  )
})

async function failure(
  Store: new () => SessionStore,
  id: string,
): Promise<ConformanceError | undefined> {
  const check = storeChecks.find((candidate) => candidate.id === id)
  if (check === undefined) throw new Error(`There is no check ${id}.`)
  const first = new Store()
  const stores = [first]
  const store = (): SessionStore => stores.pop() ?? new Store()
  const engineAccess = accessTo(first)
  const kit = await StoreHarness.open({
    store,
    rounds: 10,
    engine: engineAccess,
    timeout: PATIENCE,
  })
  try {
    if (kit.lacks(check) === undefined) await check.run(kit)
    return undefined
  } catch (error) {
    if (error instanceof ConformanceError) return error
    throw error
  } finally {
    await kit.close()
  }
}
