import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { MemoryStore, type MemoryStoreOptions } from '../../src/stores/memory.ts'
import type { SessionChange, SessionId, SessionRecord } from '../../src/store.ts'

const HOUR = 3_600_000
const stores: MemoryStore[] = []
let time = 1_000_000

function open(options: MemoryStoreOptions = {}): MemoryStore {
  const store = new MemoryStore({ now: () => time, ...options })
  stores.push(store)
  return store
}

function id(name: string): SessionId {
  return name as SessionId
}

function record(fields: Partial<SessionRecord> = {}): SessionRecord {
  const times = { createdAt: time, expiresAt: time + HOUR, deadline: time + 9 * HOUR }
  return { ...times, generation: 0, renewedAt: time, fence: 0, values: new Map(), ...fields }
}

function change(fields: Partial<SessionChange> = {}): SessionChange {
  const empty = { set: new Map(), unset: [], add: new Map() }
  return { generation: 0, at: time, expiresAt: time + HOUR, ...empty, ...fields }
}

async function present(store: MemoryStore, names: string): Promise<string> {
  const each = names.split('')
  const all = await Promise.all(each.map((name) => store.load(id(name))))
  return each.filter((_, index) => all[index] !== undefined).join('')
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
})

describe('the boundary', () => {
  test('what is changed after create is not changed in the store', async () => {
    const store = open()
    const values = new Map([['a', '1']])
    const client = { address: '127.0.0.1' }
    await store.create(id('s'), record({ values, client }))
    values.set('a', '2')
    client.address = 'forged'
    const loaded = (await store.load(id('s')))!
    expect([...loaded.values]).toEqual([['a', '1']])
    expect(loaded.client).toEqual({ address: '127.0.0.1' })
  })

  test('what was loaded cannot be changed', async () => {
    const store = open()
    await store.create(id('s'), record({ values: new Map([['a', '1']]), client: { address: 'a' } }))
    const loaded = (await store.load(id('s')))!
    expect(() => Object.assign(loaded, { user: 'forged' })).toThrow(TypeError)
    expect(() => Object.assign(loaded.client!, { address: 'forged' })).toThrow(TypeError)
    expect(() => (loaded.values as Map<string, string>).set('a', '3')).toThrow(TypeError)
    expect([...(await store.load(id('s')))!.values]).toEqual([['a', '1']])
  })
})

describe('a store that is full', () => {
  test('a new session ends the one that was not used for the longest time', async () => {
    const store = open({ maxSessions: 3 })
    for (const name of 'abc') await store.create(id(name), record())
    await store.load(id('a'))
    await store.commit(id('b'), change())
    await store.create(id('d'), record())
    expect(await present(store, 'abcd')).toBe('abd')
    await store.create(id('e'), record())
    expect(await present(store, 'abde')).toBe('bde')
  })

  test('an id that is taken ends no other session', async () => {
    const store = open({ maxSessions: 2 })
    for (const name of 'ab') await store.create(id(name), record())
    expect(await store.create(id('b'), record())).toBe(false)
    expect(await present(store, 'ab')).toBe('ab')
  })

  test('a session that has ended makes room', async () => {
    const store = open({ maxSessions: 2 })
    for (const name of 'ab') await store.create(id(name), record())
    await store.destroy(id('b'))
    await store.create(id('c'), record())
    expect(await present(store, 'abc')).toBe('ac')
  })

  test('any order of use keeps the ones that were used last', async () => {
    const store = open({ maxSessions: 5 })
    const used: number[] = []
    for (let step = 0; step < 500; step++) {
      const next = (step * 7919) % 11
      await store.create(id(String(next)), record())
      await store.load(id(String(next)))
      used.splice(0, used.length, next, ...used.filter((one) => one !== next).slice(0, 4))
    }
    const { ids } = await store.list()
    expect(ids.toSorted()).toEqual(used.map(String).toSorted())
  })

  test('the user of a session that made room has no session left', async () => {
    const store = open({ maxSessions: 1 })
    await store.create(id('a'), record({ user: 'alice' }))
    await store.create(id('b'), record({ user: 'bob' }))
    expect([await store.sessionsOf('alice'), await store.sessionsOf('bob')]).toEqual([[], ['b']])
  })
})

describe('expired sessions', () => {
  test('are removed by the sweeper, without a call', async () => {
    const store = open({ sweepEvery: '5ms' })
    await store.create(id('a'), record())
    await store.create(id('b'), record({ expiresAt: time + 2 * HOUR }))
    time += HOUR
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await store.deleteExpired(10)).toBe(0)
    expect(await present(store, 'ab')).toBe('b')
  })

  test('are removed by deleteExpired, at most as many as it may', async () => {
    const store = open()
    for (const name of 'abcde') await store.create(id(name), record({ user: name }))
    await store.create(id('f'), record({ expiresAt: time + 2 * HOUR }))
    time += HOUR
    expect(await store.deleteExpired(3)).toBe(3)
    expect(await store.deleteExpired(3)).toBe(2)
    expect(await store.deleteExpired(3)).toBe(0)
    expect(await store.sessionsOf('f')).toEqual([])
    expect(await present(store, 'abcdef')).toBe('f')
  })
})

describe('lists', () => {
  test('the sessions of a user follow login, logout, destroy and expiry', async () => {
    const store = open()
    for (const name of 'abc') await store.create(id(name), record({ user: 'u:{1}' }))
    await store.create(id('d'), record())
    expect(await store.sessionsOf('u:{1}')).toEqual(['a', 'b', 'c'])
    await store.commit(id('a'), change({ user: null }))
    await store.commit(id('b'), change({ user: 'other' }))
    await store.commit(id('d'), change({ user: 'u:{1}' }))
    expect(await store.sessionsOf('u:{1}')).toEqual(['c', 'd'])
    await store.destroy(id('c'))
    expect(await store.sessionsOf('u:{1}')).toEqual(['d'])
    time += 2 * HOUR
    expect(await store.sessionsOf('u:{1}')).toEqual([])
  })

  test('pages name every live session once, also while sessions are used', async () => {
    const store = open()
    const names = Array.from({ length: 2_345 }, (_, index) => `s${index}`)
    for (const name of names) await store.create(id(name), record())
    await store.create(id('expired'), record({ expiresAt: time }))
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.list(cursor)
      found.push(...page.ids)
      cursor = page.cursor
      await store.load(id('s1'))
    } while (cursor !== undefined)
    expect(found).toEqual(names)
  })
})

describe('the life of a store', () => {
  test('after close every call fails with a clear error', async () => {
    const store = open()
    await store.create(id('a'), record())
    await store.close()
    const closed = expect.objectContaining({ code: 'ERR_SESSION_CLOSED' })
    await expect(store.load(id('a'))).rejects.toThrow(closed)
    await expect(store.create(id('b'), record())).rejects.toThrow(closed)
    await expect(store.list()).rejects.toThrow(closed)
  })

  test('a process with a store that is not closed comes to its end', async () => {
    const child = fork(new URL('../support/memory-process.ts', import.meta.url), {
      execArgv: ['--import', 'tsx'],
    })
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test.each([
    [{ maxSessions: 0 }, /maxSessions must be a whole number above 0/],
    [{ maxSession: 5 }, /no option 'maxSession'. Did you mean 'maxSessions'\?/],
    [{ sweepEvery: '1 minute' }, /sweepEvery must be a duration/],
  ])('wrong options are refused: %j', (options, message) => {
    expect(() => new MemoryStore(options as MemoryStoreOptions)).toThrow(message)
  })
})
