import { createCipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import Database from 'libsql'
import { beforeEach, describe, expect, test } from 'vitest'
import { run, storeChecks } from '../../src/conformance/index.ts'
import { Keyring } from '../../src/keyring.ts'
import type { CommitOutcome, SessionId, SessionStore } from '../../src/store.ts'
import { EncryptedStore } from '../../src/stores/encrypted.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'

const first = randomBytes(32)
const second = randomBytes(32)
const corrupt = withCode('ERR_SESSION_CORRUPT')
let inner: MemoryStore
let store: EncryptedStore
let id: SessionId

beforeEach(async () => {
  inner = new MemoryStore()
  store = new EncryptedStore(inner, { keys: first })
  id = newId()
  await store.create(id, newRecord({ user: 'alice', values: new Map([['card', '"4111"']]) }))
})

async function stored(of: SessionStore = inner, name = 'card'): Promise<string> {
  return (await of.load(id))?.values.get(name) ?? ''
}

/** Puts something else in the place of what is stored. */
async function plant(text: string, name = 'card'): Promise<void> {
  await inner.commit(id, newChange({ set: new Map([[name, text]]) }))
}

function valuesOf(of: SessionStore): Promise<unknown> {
  return of.load(id).then(
    (record) => Object.fromEntries(record?.values ?? []),
    (error: unknown) => error,
  )
}

describe('what the inner store sees', () => {
  test('is no value, however it came to be one', async () => {
    await store.commit(
      id,
      newChange({ set: new Map([['pin', '"1234567"']]), add: new Map([['visits', 7654321]]) }),
    )
    await store.swap(id, 'note', undefined, '"see you"')
    const seen = await inner.load(id)
    const texts = [...(seen?.values.values() ?? [])]
    expect(texts).toHaveLength(4)
    for (const text of texts) expect(text).toMatch(/^e1\.[\w-]{8}\.[\w-]{40,}$/)
    expect(JSON.stringify(texts)).not.toMatch(/4111|1234567|7654321|see you/)
    expect(await valuesOf(store)).toEqual({
      card: '"4111"',
      pin: '"1234567"',
      visits: '7654321',
      note: '"see you"',
    })
  })

  test('is not the same twice for the same value', async () => {
    const before = await stored()
    await store.commit(
      id,
      newChange({
        set: new Map([
          ['card', '"4111"'],
          ['copy', '"4111"'],
        ]),
      }),
    )
    expect(new Set([before, await stored(), await stored(inner, 'copy')]).size).toBe(3)
  })

  test('is not in the file either', async () => {
    const database = new Database(':memory:')
    const onDisk = new EncryptedStore(new SqliteStore(database), { keys: first })
    await onDisk.create(id, newRecord({ values: new Map([['card', '"4111222233334444"']]) }))
    const row = database.prepare('SELECT record FROM sojourn_sessions').get() as { record: Buffer }
    expect(row.record.toString('latin1')).toContain('card')
    expect(row.record.toString('latin1')).not.toContain('4111')
    expect(await onDisk.take(id, 'card')).toBe('"4111222233334444"')
  })

  test('is who is logged in and when: that stays readable, and can be found', async () => {
    expect(await inner.load(id)).toMatchObject({ user: 'alice' })
    expect(await store.sessionsOf?.('alice')).toEqual([id])
    const touch = newTouch()
    expect((await store.load(id, touch))?.expiresAt).toBe(touch.expiresAt)
  })
})

describe('what was not encrypted for its place', () => {
  test('plain text is never taken for a value, a number neither', async () => {
    for (const text of [
      '"4111"',
      '5',
      '',
      '{}',
      'e1',
      'e1..',
      'e1.abcdefgh.',
      'e1.abcdefgh.AAAA',
    ]) {
      await plant(text)
      expect(await valuesOf(store)).toEqual(corrupt)
      await expect(store.commit(id, newChange({ add: new Map([['card', 1]]) }))).rejects.toEqual(
        corrupt,
      )
      await expect(store.swap(id, 'card', text, '"x"')).rejects.toEqual(corrupt)
      expect(await stored()).toBe(text)
    }
  })

  test('every changed byte is noticed', async () => {
    const [version, kid, text = ''] = (await stored()).split('.')
    const bytes = Buffer.from(text, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      await plant(`${version}.${kid}.${changed.toString('base64url')}`)
      expect(await valuesOf(store)).toEqual(corrupt)
    }
  })

  test('every shorter value is noticed', async () => {
    const [version, kid, text = ''] = (await stored()).split('.')
    const bytes = Buffer.from(text, 'base64url')
    for (let length = 0; length < bytes.length; length++) {
      await plant(`${version}.${kid}.${bytes.subarray(0, length).toString('base64url')}`)
      expect(await valuesOf(store)).toEqual(corrupt)
    }
  })

  test('a tag of 4 bytes is no tag', async () => {
    const { kid, ...key } = new Keyring([first]).current
    const recordKey = hkdfSync('sha256', key.subKey('encryption'), id, 'sojourn/record/v1', 32)
    const nonce = randomBytes(12)
    const weak = createCipheriv('aes-256-gcm', createSecretKey(new Uint8Array(recordKey)), nonce, {
      authTagLength: 4,
    })
    const bytes = Buffer.concat([nonce, weak.update('"x"'), weak.final(), weak.getAuthTag()])
    for (const filled of [bytes, Buffer.concat([bytes, Buffer.alloc(12)])]) {
      await plant(`e1.${kid}.${filled.toString('base64url')}`)
      expect(await valuesOf(store)).toEqual(corrupt)
    }
  })

  test('a value under another name is noticed', async () => {
    await plant(await stored(), 'role')
    expect(await valuesOf(store)).toEqual(corrupt)
  })

  test('a value of another session is noticed', async () => {
    const other = newId()
    await store.create(other, newRecord({ values: new Map([['card', '"5555"']]) }))
    await plant((await inner.load(other))?.values.get('card') ?? '')
    expect(await valuesOf(store)).toEqual(corrupt)
  })

  test('a value of a newer version is refused as such, and kept', async () => {
    await plant('e2.whatever')
    expect(await valuesOf(store)).toEqual(withCode('ERR_SESSION_VERSION'))
    expect(await stored()).toBe('e2.whatever')
  })
})

describe('keys', () => {
  test('a new key is used for what is written, older ones still read', async () => {
    const rotated = new EncryptedStore(inner, { keys: [second, first] })
    expect(await valuesOf(rotated)).toEqual({ card: '"4111"' })
    await rotated.commit(id, newChange({ set: new Map([['pin', '1']]) }))
    const onlyNew = new EncryptedStore(inner, { keys: second })
    expect(await valuesOf(onlyNew)).toEqual(corrupt)
    await rotated.swap(id, 'card', '"4111"', '"4112"')
    expect(await valuesOf(onlyNew)).toEqual({ card: '"4112"', pin: '1' })
  })

  test('a key that is missing is named, so that it can be given again', async () => {
    const { kid } = new Keyring([first]).current
    const other = new EncryptedStore(inner, { keys: second })
    expect(await valuesOf(other)).toEqual(withCode('ERR_SESSION_CORRUPT', kid))
  })

  test.each([[undefined], [[]], [''], ['short'], [[first, 'short']], ['a'.repeat(64)]])(
    'the keys %j are refused',
    (keys) => {
      expect(() => new EncryptedStore(inner, { keys } as any)).toThrow(
        withCode('ERR_SESSION_SECRET'),
      )
    },
  )

  test('a store that cannot compare before it commits is refused', () => {
    const { expect: _expect, ...capabilities } = inner.capabilities
    const simple = Object.assign(Object.create(inner), { capabilities })
    expect(() => new EncryptedStore(simple, { keys: first })).toThrow(
      withCode('ERR_SESSION_OPTION'),
    )
  })
})

describe('numbers', () => {
  const add = (by: number, of: EncryptedStore = store): Promise<unknown> =>
    of.commit(id, newChange({ add: new Map([['n', by]]) }))

  test('are added to exactly by many at once', async () => {
    await Promise.all(Array.from({ length: 40 }, () => add(1)))
    expect(await valuesOf(store)).toMatchObject({ n: '40' })
  })

  test('are added to together with everything else in the change, or not at all', async () => {
    const set = new Map([['a', '"new"']])
    const both = new Map([
      ['n', 1],
      ['card', 1],
    ])
    await expect(store.commit(id, newChange({ set, add: both }))).rejects.toEqual(
      withCode('ERR_SESSION_NOT_A_NUMBER'),
    )
    expect(await valuesOf(store)).toEqual({ card: '"4111"' })
    const replaced = newChange({ clear: true, set: new Map([['card', '5']]), add: both })
    expect(await store.commit(id, replaced)).toMatchObject({
      added: new Map([
        ['n', 1],
        ['card', 6],
      ]),
    })
    expect(await valuesOf(store)).toEqual({ n: '1', card: '6' })
  })

  test('that change all the while are given up by the deadline', async () => {
    const restless = new RestlessStore()
    const hasty = new EncryptedStore(restless, { keys: first, deadline: '50ms' })
    await hasty.create(id, newRecord())
    restless.meanwhile = () => hasty.commit(id, newChange({ set: new Map([['n', '1']]) }))
    await expect(add(1, hasty)).rejects.toEqual(withCode('ERR_SESSION_CONFLICT'))
    expect(await valuesOf(hasty)).toMatchObject({ n: '1' })
  })
})

/** Something always happens between a read and the commit that rests on it. */
class RestlessStore extends MemoryStore {
  meanwhile: () => Promise<unknown> = async () => undefined

  override async commit(
    ...[id, change]: Parameters<MemoryStore['commit']>
  ): Promise<CommitOutcome> {
    if (change.expect !== undefined) await this.meanwhile()
    return super.commit(id, change)
  }
}

test('users, limits, lists and events of the inner store keep the contract', async () => {
  const wanted = new Set(['userIndex', 'userCap', 'list', 'events', 'eventLog'])
  const checks = storeChecks.filter(({ needs = [] }) => needs.some((need) => wanted.has(need)))
  const store = (): EncryptedStore => new EncryptedStore(new MemoryStore(), { keys: first })
  const { capabilities } = store()
  expect(capabilities).toMatchObject({ userIndex: true, userCap: true, list: true, events: 'log' })
  const report = await run(checks, { store, rounds: 5 })
  expect(report.toString()).toMatch(/, 0 failed/)
})
