import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'lmdb'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { packRecord } from '../../src/record.ts'
import type { SessionId, SessionRecord, SessionStore } from '../../src/store.ts'
import { Remembered } from '../../src/stores/embedded/remembered.ts'
import { EmbeddedStage } from '../support/embedded.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'

const stage = new EmbeddedStage()
afterEach(() => stage.clear())

const NOT_DUE = newTouch({ whenBefore: 0 })
const MARK = 'a text that is nowhere else in the file'

function bytesOf(text: string): Uint8Array {
  return packRecord(newRecord({ values: new Map([['a', text]]) }))
}

function valueNow(store: SessionStore, id: SessionId): unknown {
  const record = store.loadNow?.(id, NOT_DUE)
  return typeof record === 'object' ? record.values.get('a') : record
}

function remember(store: SessionStore, id: SessionId): void {
  for (let times = 0; times < 3; times++) expect(store.loadNow?.(id)).toBeTypeOf('object')
}

describe('records that were read before', () => {
  test('are decoded once or twice, however often they are read', () => {
    const [remembered, id, bytes] = [new Remembered(), newId(), bytesOf('1')]
    const records = Array.from({ length: 10 }, () => remembered.recordOf(id, bytes))
    expect(new Set(records).size).toBe(2)
    expect(records.map(({ values }) => values.get('a'))).toEqual(Array(10).fill('1'))
  })

  test('cannot be changed by those who were given them', () => {
    const [remembered, id] = [new Remembered(), newId()]
    const bytes = packRecord(newRecord({ client: { address: '192.0.2.1' } }))
    remembered.recordOf(id, bytes)
    const record = remembered.recordOf(id, bytes) as { expiresAt: number } & SessionRecord
    expect(() => (record.expiresAt = 0)).toThrow(TypeError)
    expect(() => Object.assign(record.client!, { address: '' })).toThrow(TypeError)
    expect(record.values).not.toBeInstanceOf(Map)
    expect(remembered.recordOf(id, bytes).client).toEqual({ address: '192.0.2.1' })
  })

  test('are kept only when the same was read twice: one that always changes is not', () => {
    const [remembered, id] = [new Remembered(), newId()]
    const versions = ['1', '2', '3', '4'].map(bytesOf)
    const records = versions.map((bytes) => remembered.recordOf(id, bytes))
    expect(records.map(Object.isFrozen)).toEqual([false, false, false, false])
    expect(Object.isFrozen(remembered.recordOf(id, versions.at(-1)!))).toBe(true)
  })

  test('do not stand for other bytes, be they of the same length, longer or shorter', () => {
    const [remembered, id] = [new Remembered(), newId()]
    for (const text of ['1', '1', '1', '2', '22', '22', '2', '', '1']) {
      const bytes = bytesOf(text)
      expect(remembered.recordOf(id, bytes).values.get('a')).toBe(text)
      bytes.fill(0)
    }
  })

  test('do not hide a single bit that was damaged', () => {
    const [remembered, id, bytes] = [new Remembered(), newId(), bytesOf('1')]
    for (let times = 0; times < 3; times++) remembered.recordOf(id, bytes)
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = Uint8Array.from(bytes)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      // A format that is not known yet is refused as such.
      expect(() => remembered.recordOf(id, damaged)).toThrow(/cannot be read|has format/)
    }
    expect(remembered.recordOf(id, bytes).values.get('a')).toBe('1')
  })

  test('are kept while they are used, and others go: memory is bounded', () => {
    const remembered = new Remembered()
    const [used, unused] = [newId(), newId()]
    const bytes = bytesOf('x'.repeat(50_000))
    const [first] = [used, unused].map((id) => {
      remembered.recordOf(id, bytes)
      return remembered.recordOf(id, bytes)
    })
    for (let round = 0; round < 100; round++) {
      for (const id of Array.from({ length: 10 }, newId)) {
        for (let times = 0; times < 2; times++) remembered.recordOf(id, bytes)
      }
      expect(remembered.recordOf(used, bytes)).toBe(first)
    }
    const again = remembered.recordOf(unused, bytes)
    expect(remembered.recordOf(unused, bytes)).not.toBe(again)
  })

  test('are let go when they are forgotten', () => {
    const [remembered, id, bytes] = [new Remembered(), newId(), bytesOf('1')]
    remembered.recordOf(id, bytes)
    const record = remembered.recordOf(id, bytes)
    remembered.forget(id)
    expect(remembered.recordOf(id, bytes)).not.toBe(record)
  })
})

describe('a session that was read before', () => {
  test('is as another process left it, in every round', async () => {
    const path = await stage.path()
    const [other, here] = [await stage.start(path), stage.open({ path })]
    await here.ready()
    const id = newId()
    for (let round = 0; round < 100; round++) {
      const text = `${round}`.repeat(1 + (round % 5) * 5_000)
      await other.create(id, newRecord({ values: new Map([['a', text]]) }))
      remember(here, id)
      expect(valueNow(here, id)).toBe(text)
      await other.commit(id, newChange({ set: new Map([['a', `${text}!`]]) }))
      expect(valueNow(here, id)).toBe(`${text}!`)
      remember(here, id)
      await other.destroy(id)
      expect(here.loadNow(id)).toBe('none')
    }
  })

  test('is as this process left it, in every round', async () => {
    const here = stage.open({ path: await stage.path() })
    const id = newId()
    for (let round = 0; round < 20; round++) {
      await here.create(id, newRecord({ values: new Map([['a', `${round}`]]) }))
      remember(here, id)
      await here.swap(id, 'a', `${round}`, 'swapped')
      expect(valueNow(here, id)).toBe('swapped')
      remember(here, id)
      await here.destroy(id)
      expect(here.loadNow(id)).toBe('none')
    }
  })

  test.each([
    ['small', 1],
    ['large', 40_000],
  ])('is refused when its bytes on the disk were damaged: a %s one', async (_size, length) => {
    const path = await stage.path()
    const here = stage.open({ path })
    const id = newId()
    const text = MARK + 'x'.repeat(length)
    await here.create(id, newRecord({ values: new Map([['a', text]]) }))
    remember(here, id)
    await overwrite(join(path, 'data.mdb'), MARK)
    expect(here.loadNow(id)).toBeUndefined()
    await expect(here.load(id)).rejects.toThrow(withCode('ERR_SESSION_CORRUPT'))
  })
})

describe('a read at once', () => {
  test('sets no timer, and holds back no pages that others would use again', async () => {
    const path = await stage.path()
    const here = stage.open({ path })
    const id = newId()
    await here.create(id, newRecord())
    remember(here, id)
    const beside = open(path, { noSubdir: false, mapSize: 2 ** 34 })
    const timers = vi.spyOn(globalThis, 'setTimeout')
    remember(here, id)
    expect(timers).not.toHaveBeenCalled()
    expect(snapshotsIn(beside.readerList())).toEqual([])
    timers.mockRestore()
    await beside.close()
  })

  test('does not disturb a read of many, nor is it disturbed', async () => {
    const here = stage.open({ path: await stage.path() })
    const ids = Array.from({ length: 50 }, newId)
    for (const id of ids) await here.create(id, newRecord({ user: 'alice' }))
    const reads = ids.map((id) => {
      const found = here.sessionsOf('alice')
      remember(here, id)
      return found
    })
    for (const found of await Promise.all(reads)) expect(found).toHaveLength(ids.length)
    for (const id of ids) remember(here, id)
  })
})

/** Changes a byte of every place where the text is in the file. */
async function overwrite(path: string, text: string): Promise<void> {
  const file = await openFile(path, 'r+')
  const bytes = await file.readFile()
  let times = 0
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1), times++) {
    await file.write('?', at + 2)
  }
  await file.close()
  expect(times).toBeGreaterThan(0)
}

/** The transactions of the readers that have one: a line for each place, process, thread and transaction. */
function snapshotsIn(list: string): readonly string[] {
  return list.split('\n').filter((line) => /^\s*\d+\s+\S+\s+\d+\s*$/.test(line))
}
