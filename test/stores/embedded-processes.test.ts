import { once } from 'node:events'
import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RemoteStore } from '../../src/conformance/process.ts'
import type { SessionId, SessionStore } from '../../src/store.ts'
import { EmbeddedStage } from '../support/embedded.ts'
import { newChange, newId, newRecord, newTouch } from '../support/records.ts'

const stage = new EmbeddedStage()
afterEach(() => stage.clear())

function twoProcesses(on: EmbeddedStage, path: string): Promise<[RemoteStore, RemoteStore]> {
  return Promise.all([on.start(path), on.start(path)])
}

async function valueOf(store: SessionStore, id: SessionId, name: string): Promise<unknown> {
  return (await store.load(id))?.values.get(name)
}

describe('two processes', () => {
  const shared = new EmbeddedStage()
  let one: RemoteStore
  let other: RemoteStore
  let path: string

  beforeAll(async () => {
    path = await shared.path()
    ;[one, other] = await twoProcesses(shared, path)
  })
  afterAll(() => shared.clear())

  test('16 writers in them lose nothing', async () => {
    const id = newId()
    await one.create(id, newRecord({ values: new Map() }))
    const writer = async (index: number): Promise<void> => {
      const store = index % 2 === 0 ? one : other
      for (let count = 1; count <= 25; count++) {
        const set = new Map([[`w${index}`, String(count)]])
        await store.commit(id, newChange({ set, add: new Map([['all', 1]]) }))
      }
    }
    await Promise.all(Array.from({ length: 16 }, (_, index) => writer(index)))
    const values = (await other.load(id))?.values
    expect(values?.get('all')).toBe('400')
    for (let index = 0; index < 16; index++) expect(values?.get(`w${index}`)).toBe('25')
  })

  test('see each other at once, in every round', async () => {
    const here = stage.open({ path })
    const id = newId()
    await one.create(id, newRecord())
    for (let round = 0; round < 50; round++) {
      const text = String(round)
      await (round % 2 === 0 ? one : other).commit(id, newChange({ set: new Map([['a', text]]) }))
      const seen = [one, other, here].map((store) => valueOf(store, id, 'a'))
      expect(await Promise.all(seen)).toEqual([text, text, text])
    }
  })

  test('a session destroyed in one is gone in the other', async () => {
    for (let round = 0; round < 20; round++) {
      const id = newId()
      await one.create(id, newRecord())
      expect(await other.load(id)).toBeDefined()
      expect(await one.destroy(id)).toBe(true)
      expect(await other.load(id, newTouch())).toBeUndefined()
      expect(await other.commit(id, newChange())).toBe('gone')
      expect(await other.take(id, 'a')).toBeUndefined()
    }
  })

  test('sweep together and count every session once', async () => {
    const expiresAt = Date.now() + 300
    const ids = Array.from({ length: 100 }, newId)
    await Promise.all(ids.map((id) => one.create(id, newRecord({ expiresAt }))))
    await sleep(expiresAt - Date.now() + 5)
    const counts = await Promise.all([one, other, one, other].map((s) => s.deleteExpired(40)))
    expect(counts.reduce((sum, count) => sum + count)).toBe(100)
  })
})

describe('a process that is killed', () => {
  test('has lost no write that it acknowledged', async () => {
    const path = await stage.path()
    const remote = await stage.start(path)
    const acknowledged: SessionId[] = []
    // It ends by the error of a call to a process that is no more.
    const writer = async (): Promise<void> => {
      for (;;) {
        const id = newId()
        await remote.create(id, newRecord({ values: new Map([['a', 'x'.repeat(2_000)]]) }))
        await remote.commit(id, newChange({ set: new Map([['b', '1']]) }))
        acknowledged.push(id)
      }
    }
    const writers = Array.from({ length: 8 }, writer)
    await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(200)
    await remote.kill()
    await Promise.allSettled(writers)
    const store = stage.open({ path })
    const values = await Promise.all(acknowledged.map((id) => valueOf(store, id, 'b')))
    expect(values.filter((value) => value !== '1')).toEqual([])
  })

  test('holds up no other process', async () => {
    const [one, other] = await twoProcesses(stage, await stage.path())
    const [busy, id] = [newId(), newId()]
    await one.create(busy, newRecord())
    await other.create(id, newRecord())
    const lost = Array.from({ length: 500 }, () => one.commit(busy, newChange()))
    const added = Array.from({ length: 50 }, () =>
      other.commit(id, newChange({ add: new Map([['n', 1]]) })),
    )
    const settled = Promise.allSettled(lost)
    await Promise.race(lost)
    await one.kill()
    await Promise.all([...added, settled])
    expect(await valueOf(other, id, 'n')).toBe('50')
  })
})

describe('the life of a process', () => {
  test('several that start at once on a new directory all get ready', async () => {
    const path = await stage.path()
    const all = await Promise.all(Array.from({ length: 3 }, () => stage.start(path)))
    const id = newId()
    await all[0]!.create(id, newRecord())
    const seen = await Promise.all(all.map((store) => store.load(id)))
    expect(seen.filter((record) => record === undefined)).toEqual([])
  })

  test('an open store that is idle does not keep it', async () => {
    const child = fork(
      new URL('../support/embedded-idle.ts', import.meta.url),
      [await stage.path()],
      { execArgv: ['--import', 'tsx'] },
    )
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})
