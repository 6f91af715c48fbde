import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SessionId } from '../../src/store.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { Keys } from '../../src/stores/redis/keys.ts'
import { HOUR, newChange, newId, newRecord, withCode } from '../support/records.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

const keys = new Keys('sojourn:')
const alice = keys.user('alice')

let server: RedisServer
let client: ReturnType<typeof createClient>
let store: RedisStore
let commands: string[][]

beforeAll(async () => {
  server = await startRedis()
  client = createClient({ url: server.url })
  await client.connect()
})

afterAll(async () => {
  client?.destroy()
  await server?.stop()
})

beforeEach(async () => {
  await client.flushAll()
  commands = []
  const observed = {
    sendCommand: (args: string[]) => {
      commands.push(args)
      return client.sendCommand(args)
    },
  }
  store = new RedisStore(observed)
})

afterEach(() => store.close())

describe('the index heals itself', () => {
  test('an entry of a session that is not the user’s is removed when it is read', async () => {
    const [mine, gone, anonymous, bobs] = [newId(), newId(), newId(), newId()]
    await store.create(mine, newRecord({ user: 'alice' }))
    await store.create(anonymous, newRecord())
    await store.create(bobs, newRecord({ user: 'bob' }))
    await enterByHand([gone, anonymous, bobs])
    expect(await store.sessionsOf('alice')).toEqual([mine])
    await store.close()
    expect(await client.zRange(alice.sessions, 0, -1)).toEqual([mine])
  })

  test('an entry that a login has just made is kept, though the record does not say so yet', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await store.create(newId(), newRecord({ user: 'alice' }))
    await enterByHand([id])
    await client.zAdd(alice.fresh, { score: Date.now() + 60_000, value: id })
    expect(await store.sessionsOf('alice')).toHaveLength(1)
    await store.close()
    expect(await client.zRange(alice.sessions, 0, -1)).toContain(id)
  })

  test('entries whose deadline has passed are removed by the next login', async () => {
    await client.zAdd(alice.sessions, { score: Date.now() - 1, value: newId() })
    const id = newId()
    await store.create(id, newRecord({ user: 'alice' }))
    expect(await client.zRange(alice.sessions, 0, -1)).toEqual([id])
  })

  test('a record that this version cannot read is neither the user’s nor removed', async () => {
    const id = newId()
    await store.create(id, newRecord({ user: 'alice' }))
    await client.del(alice.fresh)
    await client.setRange(keys.record(id), 0, 's2')
    expect(await store.sessionsOf('alice')).toEqual([])
    await store.close()
    expect(await client.zRange(alice.sessions, 0, -1)).toEqual([id])
  })

  test('a logout leaves no entry, nor does a change of user', async () => {
    const [one, two] = [newId(), newId()]
    for (const id of [one, two]) await store.create(id, newRecord({ user: 'alice' }))
    await client.del(alice.fresh)
    await store.commit(one, newChange({ user: null }))
    await store.commit(two, newChange({ user: 'bob' }))
    await store.close()
    expect(await client.exists(alice.sessions)).toBe(0)
    expect(await client.zRange(keys.user('bob').sessions, 0, -1)).toEqual([two])
  })
})

describe('the index lasts as long as what it points to', () => {
  test('its end is that of the session that can live longest', async () => {
    const deadline = Date.now() + 50 * HOUR
    await store.create(newId(), newRecord({ user: 'alice', deadline }))
    await store.create(newId(), newRecord({ user: 'alice' }))
    expect(await client.pExpireTime(alice.sessions)).toBe(deadline)
    expect(await client.pTTL(alice.fresh)).toBeGreaterThan(0)
    expect(await client.pTTL(alice.fresh)).toBeLessThanOrEqual(60_000)
  })

  test('a session that may live longer without a login is found as long', async () => {
    const id = newId()
    await store.create(id, newRecord({ user: 'alice' }))
    const deadline = Date.now() + 500 * HOUR
    await store.commit(id, newChange({ deadline, expiresAt: deadline }))
    expect(await client.zScore(alice.sessions, id)).toBe(deadline)
    expect(await client.pExpireTime(alice.sessions)).toBe(deadline)
  })

  test('a login that names no deadline is found as long as the session can live', async () => {
    const id = newId()
    const deadline = Date.now() + 99 * HOUR
    await store.create(id, newRecord({ deadline }))
    await store.commit(id, newChange({ user: 'alice' }))
    expect(await client.zScore(alice.sessions, id)).toBe(deadline)
  })
})

describe('what it costs', () => {
  test('a login is two calls, the index first; a commit that logs nobody in is one, to the session alone', async () => {
    const id = newId()
    await store.create(id, newRecord())
    commands.length = 0
    const deadline = Date.now() + 24 * HOUR
    await store.commit(id, newChange({ user: 'alice', deadline, rotate: 'fence' }))
    await store.commit(id, newChange({ generation: 1, set: new Map([['a', '1']]) }))
    await store.load(id)
    const sent = commands.filter(([name]) => name !== 'EVAL').map(keysIn)
    expect(sent).toEqual([
      [alice.sessions, alice.fresh],
      keys.all(id),
      [keys.record(id)],
      [keys.record(id)],
    ])
  })

  test('a login within the limit is as cheap, and lets the next one begin', async () => {
    const id = newId()
    await store.create(id, newRecord())
    commands.length = 0
    const deadline = Date.now() + 24 * HOUR
    const cap = { most: 2, full: 'reject' } as const
    await store.commit(id, newChange({ user: 'alice', deadline, cap }))
    await store.close()
    const sent = commands.filter(([name]) => name !== 'EVAL').map(keysIn)
    expect(sent).toEqual([[alice.sessions, alice.fresh, alice.lock], keys.all(id), [alice.lock]])
    expect(await client.exists(alice.lock)).toBe(0)
  })

  test('without the index a login is one call, and there is neither list nor limit', async () => {
    const plain = new RedisStore(client, { userIndex: false, registry: false })
    expect(plain.capabilities).toMatchObject({ userIndex: false, userCap: false, list: false })
    const id = newId()
    await plain.create(id, newRecord({ user: 'alice' }))
    await plain.commit(id, newChange({ user: 'bob', rotate: 'fence' }))
    expect(await client.keys('*')).toEqual([keys.record(id)])
    const unsupported = withCode('ERR_SESSION_UNSUPPORTED')
    await expect(plain.sessionsOf('bob')).rejects.toEqual(unsupported)
    await expect(plain.list()).rejects.toEqual(unsupported)
    expect(await plain.destroy(id)).toBe(true)
    await plain.close()
  })
})

describe('a login that keeps a limit', () => {
  const cap = { most: 1, full: 'evict-oldest' } as const

  test('waits for the one before, and goes on when that has died', async () => {
    const [first, second] = [newId(), newId()]
    for (const id of [first, second]) await store.create(id, newRecord())
    await client.set(alice.lock, 'of a process that died', {
      expiration: { type: 'PX', value: 300 },
    })
    const begun = performance.now()
    await store.commit(first, newChange({ user: 'alice', cap }))
    expect(performance.now() - begun).toBeGreaterThan(200)
    const outcome = await store.commit(second, newChange({ user: 'alice', cap }))
    expect(outcome).toMatchObject({ evicted: [first] })
    expect(await store.sessionsOf('alice')).toEqual([second])
  })

  test(
    'gives up when its turn does not come, and changes nothing',
    { timeout: 20_000 },
    async () => {
      const patient = new RedisStore(client, { deadline: 1000 })
      const id = newId()
      await store.create(id, newRecord())
      await client.set(alice.lock, 'somebody', { expiration: { type: 'EX', value: 60 } })
      await expect(patient.commit(id, newChange({ user: 'alice', cap }))).rejects.toEqual(
        withCode('ERR_SESSION_TIMEOUT', 'turn'),
      )
      expect((await store.load(id))?.user).toBeUndefined()
      await patient.close()
    },
  )

  test('that was held up until another one may have begun writes nothing, and begins anew', async () => {
    const id = newId()
    await store.create(id, newRecord())
    let heldUp = 0
    const slow = {
      sendCommand: async (args: string[]) => {
        const isCommit = keysIn(args)[0] === keys.record(id) && args[0]?.startsWith('EVAL')
        // What is sent now would have had to arrive before.
        const late = isCommit && heldUp++ === 0 ? args.map(outdated) : args
        return client.sendCommand(late)
      },
    }
    const behind = new RedisStore(slow)
    const deadline = Date.now() + 24 * HOUR
    const outcome = await behind.commit(id, newChange({ user: 'alice', deadline, cap }))
    expect(outcome).toMatchObject({ generation: 0 })
    expect(heldUp).toBeGreaterThan(1)
    await behind.close()
  })
})

async function enterByHand(ids: readonly SessionId[]): Promise<void> {
  for (const value of ids) {
    await client.zAdd(alice.sessions, { score: Date.now() + HOUR, value })
  }
}

/** The keys of a command, as Redis would find them. */
function keysIn([
  name = '',
  second = '',
  count = '',
  ...rest
]: readonly string[]): readonly string[] {
  if (name.startsWith('EVAL')) return rest.slice(0, Number(count))
  return [second]
}

/** The first argument of a commit, with a time after which it is too late that has passed. */
function outdated(argument: string): string {
  return /^\d+,\d+,\d+,\d*,\w*,-?\d*,\d?,\d+,\d+,\d+,\d{13}$/.test(argument)
    ? argument.replace(/\d{13}$/, '1000000000000')
    : argument
}
