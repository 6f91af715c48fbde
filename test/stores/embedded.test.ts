import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { DefaultStore } from '../../src/default-store.ts'
import { EmbeddedStore, type EmbeddedStoreOptions } from '../../src/stores/embedded.ts'
import { EmbeddedStage } from '../support/embedded.ts'
import { openTables } from '../support/embedded-tables.ts'
import { HOUR, newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'

const stage = new EmbeddedStage()
afterEach(() => stage.clear())

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

describe('the files', () => {
  test('nothing is there before the first call', async () => {
    const path = await stage.path()
    const store = stage.open({ path })
    expect(existsSync(path)).toBe(false)
    expect(await store.load(newId())).toBeUndefined()
    expect(readdirSync(path).toSorted()).toEqual(['data.mdb', 'lock.mdb'])
  })

  test('only the user of the process can read them, whatever the umask', async () => {
    const path = join(await stage.path(), 'deeper')
    const before = process.umask(0)
    await stage.open({ path }).ready()
    process.umask(before)
    const files = ['data.mdb', 'lock.mdb'].map((name) => join(path, name))
    expect([modeOf(path), modeOf(dirname(path)), ...files.map(modeOf)]).toEqual([
      '700',
      '700',
      '600',
      '600',
    ])
  })

  test('a directory that was there keeps its mode', async () => {
    const path = await stage.path()
    mkdirSync(path, { mode: 0o750 })
    await stage.open({ path }).ready()
    expect(modeOf(path)).toBe('750')
  })

  test('sessions are there when the store is opened again', async () => {
    const path = await stage.path()
    const [id, record] = [newId(), newRecord({ user: 'alice', client: { address: '127.0.0.1' } })]
    const first = stage.open({ path })
    await first.create(id, record)
    await first.close()
    expect(await stage.open({ path }).load(id)).toEqual(record)
  })

  test('a read writes nothing, nor does a touch that is not due', async () => {
    const path = await stage.path()
    const store = stage.open({ path })
    const [id, record] = [newId(), newRecord()]
    await store.create(id, record)
    const before = await readFile(join(path, 'data.mdb'))
    await store.load(id)
    await store.load(id, newTouch({ whenBefore: record.expiresAt }))
    expect((await readFile(join(path, 'data.mdb'))).equals(before)).toBe(true)
  })
})

describe('stores of one process', () => {
  test('share a directory, also by another name of it, and while one of them writes', async () => {
    const path = await stage.path()
    const first = stage.open({ path })
    const id = newId()
    await first.create(id, newRecord())
    symlinkSync(path, `${path}-link`)
    const names = Array.from({ length: 50 }, (_, index) => `n${index}`)
    const written = names.map((name) =>
      first.commit(id, newChange({ set: new Map([[name, '1']]) })),
    )
    const others = [path, `${path}-link`].map((at) => stage.open({ path: at }))
    await Promise.all(others.map((store) => store.commit(id, newChange({ unset: ['a'] }))))
    await Promise.all(written)
    for (const store of [first, ...others]) {
      expect([...((await store.load(id))?.values.keys() ?? [])].toSorted()).toEqual(
        names.toSorted(),
      )
    }
  })

  test('go on when another one is closed, and open again after the last', async () => {
    const path = await stage.path()
    const [first, second] = [stage.open({ path }), stage.open({ path })]
    const id = newId()
    await Promise.all([first.create(id, newRecord()), second.ready()])
    await first.close()
    expect(await second.destroy(id)).toBe(true)
    await second.close()
    expect(await stage.open({ path }).create(id, newRecord())).toBe(true)
  })
})

describe('closing', () => {
  test('waits for the writes under way', async () => {
    const path = await stage.path()
    const store = stage.open({ path })
    const ids = Array.from({ length: 30 }, newId)
    await store.ready()
    const writes = ids.map((id) => store.create(id, newRecord()))
    await store.close()
    expect(await Promise.all(writes)).toEqual(ids.map(() => true))
    expect((await stage.open({ path }).list()).ids).toHaveLength(30)
  })

  test('makes every later call a clear error', async () => {
    const store = stage.open({ path: await stage.path() })
    await store.ready()
    await Promise.all([store.close(), store.close()])
    await expect(store.load(newId())).rejects.toThrow(withCode('ERR_SESSION_CLOSED'))
    await expect(store.create(newId(), newRecord())).rejects.toThrow(withCode('ERR_SESSION_CLOSED'))
  })

  test('of a store that was never used makes no files', async () => {
    const path = await stage.path()
    await stage.open({ path }).close()
    expect(existsSync(path)).toBe(false)
  })
})

describe('expired sessions', () => {
  test('are removed with all that belongs to them, at most as many as it may', async () => {
    const path = await stage.path()
    let time = Date.now()
    const store = stage.open({ path, now: () => time })
    const tables = await store.ready().then(() => openTables(path))
    for (let count = 0; count < 5; count++)
      await store.create(newId(), newRecord({ user: 'alice' }))
    const late = newId()
    await store.create(late, newRecord({ expiresAt: time + 3 * HOUR, user: 'bob' }))
    time += 2 * HOUR
    expect(await store.deleteExpired(3)).toBe(3)
    expect(await store.deleteExpired(3)).toBe(2)
    expect(await store.deleteExpired(3)).toBe(0)
    const left = [tables.records, tables.expiries, tables.users].map((table) =>
      table.getKeysCount(),
    )
    expect(left).toEqual([1, 1, 1])
    expect((await store.load(late))?.user).toBe('bob')
    await tables.close()
  })

  test('a session that was touched is not removed at its former time', async () => {
    let time = Date.now()
    const store = stage.open({ path: await stage.path(), now: () => time })
    const id = newId()
    await store.create(id, newRecord())
    expect((await store.load(id, newTouch()))?.expiresAt).toBeGreaterThan(time + HOUR)
    time += 1.5 * HOUR
    expect(await store.deleteExpired(10)).toBe(0)
    expect(await store.load(id)).toBeDefined()
  })

  test('are removed by the sweeper, without a call', async () => {
    const path = await stage.path()
    const store = stage.open({ path, sweepEvery: '10ms' })
    const tables = await store.ready().then(() => openTables(path))
    await store.create(newId(), newRecord({ expiresAt: Date.now() + 5 }))
    await expect.poll(() => tables.records.getKeysCount()).toBe(0)
    await tables.close()
  })
})

describe('lists', () => {
  test('pages name every live session once', async () => {
    const store = stage.open({ path: await stage.path() })
    const ids = Array.from({ length: 2_345 }, newId)
    await Promise.all(ids.map((id) => store.create(id, newRecord())))
    await store.create(newId(), newRecord({ expiresAt: Date.now() - 1 }))
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.list(cursor)
      found.push(...page.ids)
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(found.toSorted()).toEqual(ids.toSorted())
  })

  test('a user name may be longer than a key of the engine', async () => {
    const store = stage.open({ path: await stage.path() })
    const [one, other] = ['x'.repeat(9_000), `${'x'.repeat(9_000)}y`]
    const id = newId()
    await store.create(id, newRecord({ user: one }))
    expect([await store.sessionsOf(one), await store.sessionsOf(other)]).toEqual([[id], []])
  })
})

describe('a record that cannot be read', () => {
  test('is an error for its session alone, stays as it is, and can be destroyed', async () => {
    const path = await stage.path()
    const store = stage.open({ path })
    const tables = await store.ready().then(() => openTables(path))
    const [broken, sound] = [newId(), newId()]
    await store.create(sound, newRecord())
    await tables.write(() => tables.records.putSync(broken, Buffer.from('no record')))
    await expect(store.load(broken)).rejects.toThrow(withCode('ERR_SESSION_CORRUPT'))
    await expect(store.create(broken, newRecord())).rejects.toThrow(withCode('ERR_SESSION_CORRUPT'))
    expect(tables.records.get(broken)?.toString()).toBe('no record')
    expect((await store.list()).ids).toEqual([sound])
    expect(await store.destroy(broken)).toBe(true)
    expect(await store.load(broken)).toBeUndefined()
    await tables.close()
  })
})

test('the store of a manager that was given none declares what this one does', () => {
  expect(new DefaultStore().capabilities).toEqual(new EmbeddedStore().capabilities)
})

test.each([
  [{ path: '' }, /path must be the path of a directory/],
  [{ pth: 'x' }, /no option 'pth'. Did you mean 'path'\?/],
  [{ sweepEvery: '0s' }, /sweepEvery must be a duration/],
  [{ mapSize: 12 }, /mapSize must be a number of bytes/],
])('wrong options are refused: %j', (options, message) => {
  expect(() => stage.open(options as EmbeddedStoreOptions)).toThrow(message)
})
