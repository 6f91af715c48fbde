import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SessionManager } from '../../src/manager.ts'
import { Session } from '../../src/session.ts'
import type { SessionRecord, SessionStore } from '../../src/store.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { EmbeddedStage } from '../support/embedded.ts'
import { HOUR, newId, newRecord, newTouch } from '../support/records.ts'

const SECRET = 'a secret for tests that is 32 bytes long'
const NOT_DUE = newTouch({ whenBefore: 0 })
const stage = new EmbeddedStage()
afterEach(() => stage.clear())

describe.each([
  ['memory', async (now: () => number) => new MemoryStore({ now })],
  ['embedded', async (now: () => number) => stage.open({ path: await stage.path(), now })],
] as const)('%s: what is answered at once', (_engine, open) => {
  let store: SessionStore
  let ahead: number

  beforeEach(async () => {
    ahead = 0
    store = await open(() => Date.now() + ahead)
    await store.ready?.()
  })
  afterEach(() => store.close?.())

  const now = (...call: Parameters<SessionStore['load']>): unknown => store.loadNow?.(...call)

  test('is what load answers: a record, or none', async () => {
    const id = newId()
    expect(now(id)).toBe('none')
    await store.create(id, newRecord({ user: 'alice', client: { address: '192.0.2.1' } }))
    const loaded = (await store.load(id))!
    const { values, ...rest } = now(id, NOT_DUE) as SessionRecord
    expect({ ...rest, values: [...values] }).toEqual({ ...loaded, values: [...loaded.values] })
    await store.destroy(id)
    expect(now(id)).toBe('none')
  })

  test('an expired session is none', async () => {
    const id = newId()
    await store.create(id, newRecord())
    ahead = HOUR
    expect(now(id)).toBe('none')
  })

  test('a touch that is due moves the deadline, here or in load', async () => {
    const id = newId()
    const record = newRecord()
    await store.create(id, record)
    const touch = newTouch()
    const answer = now(id, touch)
    const moved = answer === undefined ? await store.load(id, touch) : (answer as SessionRecord)
    expect(moved?.expiresAt).toBe(touch.expiresAt)
    expect((await store.load(id))?.expiresAt).toBe(touch.expiresAt)
  })

  test('a store that was closed answers nothing: load says why', async () => {
    await store.close?.()
    expect(now(newId())).toBeUndefined()
    await expect(store.load(newId())).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' })
  })

  test('a manager opens its sessions without a promise', async () => {
    const sessions = new SessionManager({ secret: SECRET, store })
    const first = sessions.openNow(undefined) as Session
    expect(first).toBeInstanceOf(Session)
    first.set('login', 'alice')
    const [line] = await sessions.commit(first)
    const again = sessions.openNow(line?.[1].split(';')[0]) as Session
    expect(again).toBeInstanceOf(Session)
    expect(again.get('login')).toBe('alice')
  })
})

test('embedded: before the file is open nothing is known at once', async () => {
  const store = stage.open({ path: await stage.path() })
  expect(store.loadNow(newId())).toBeUndefined()
  expect(await store.load(newId())).toBeUndefined()
  expect(store.loadNow(newId())).toBe('none')
})
