import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RemoteStore } from '../../src/conformance/process.ts'
import type { StoreEvent } from '../../src/store.ts'
import type { EmbeddedStore } from '../../src/stores/embedded.ts'
import { EmbeddedStage } from '../support/embedded.ts'
import {
  keepsTheLimit,
  survivesTheConsumer,
  tellsAnotherProcess,
  tellsEachExpiryOnce,
} from '../support/event-programs.ts'
import { HOUR, newId, newRecord, withCode } from '../support/records.ts'

const stage = new EmbeddedStage()
let path: string
let here: EmbeddedStore
let processes: [RemoteStore, RemoteStore]

beforeAll(async () => {
  path = await stage.path()
  here = stage.open({ path, events: true })
  await here.ready()
  processes = await Promise.all([stage.start(path, true), stage.start(path, true)])
})
afterAll(() => stage.clear())

describe('two processes that share a file with a log', () => {
  test('keep the limit of sessions of a user, in 100 rounds of parallel logins', async () => {
    await expect(keepsTheLimit(here, processes, 100)).resolves.toBeUndefined()
  })

  test('hear of each other within a second', async () => {
    await expect(tellsAnotherProcess(here, processes[0])).resolves.toBeUndefined()
  })

  test('sweep together and tell of every session once', async () => {
    await expect(tellsEachExpiryOnce(here, processes)).resolves.toBeUndefined()
  })

  test('share events: what a killed consumer had begun, another one handles', async () => {
    const doomed = await stage.start(path, true)
    await expect(survivesTheConsumer(here, doomed)).resolves.toBeUndefined()
  })
})

test('stores of one process tell each other, and a group is theirs together', async () => {
  const other = stage.open({ path, events: true })
  const [heard, handled]: [StoreEvent[], StoreEvent[]] = [[], []]
  const stops = [
    await other.watch((event) => void heard.push(event)),
    await here.consume('both', (event) => void handled.push(event)),
    await other.consume('both', (event) => void handled.push(event)),
  ]
  const ids = Array.from({ length: 10 }, newId)
  for (const id of ids) await here.create(id, newRecord({ user: 'alice' }))
  await expect.poll(() => [heard.length, handled.length]).toEqual([10, 10])
  await Promise.all(stops.map((stop) => stop()))
  expect(heard.map(({ id }) => id)).toEqual(ids)
  expect(heard[0]).toEqual({ type: 'created', id: ids[0], at: heard[0]?.at, user: 'alice' })
})

test('events of a day ago are removed by sweeping', async () => {
  let now = Date.now() - 25 * HOUR
  const store = stage.open({ path: await stage.path(), events: true, now: () => now })
  const stop = await store.consume('late', () => {
    throw new Error('not yet')
  })
  await store.create(newId(), newRecord())
  await stop()
  now += 27 * HOUR
  await store.deleteExpired(100)
  await store.tell({ type: 'replayed', id: newId(), at: now })
  const left: StoreEvent[] = []
  const stopAgain = await store.consume('late', (event) => void left.push(event))
  await expect.poll(() => left.length).toBe(2)
  await stopAgain()
  expect(left.map(({ type }) => type)).toEqual(['expired', 'replayed'])
})

test('without the option there is no log, and whoever listens is told so', async () => {
  const store = stage.open({ path: await stage.path() })
  expect(store.capabilities).toMatchObject({ events: 'none', userCap: true })
  const event = { type: 'replayed', id: newId(), at: 0 } as const
  for (const call of [store.watch(() => {}), store.consume('a', () => {}), store.tell(event)]) {
    await expect(call).rejects.toThrow(withCode('ERR_SESSION_UNSUPPORTED', 'option `events`'))
  }
})

test('a group has a name', async () => {
  for (const name of ['', 'a\0b', 'x'.repeat(201)]) {
    await expect(here.consume(name, () => {})).rejects.toThrow(withCode('ERR_SESSION_OPTION'))
  }
})
