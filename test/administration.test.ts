import { beforeEach, describe, expect, it } from 'vitest'
import { SessionManager } from '../src/manager.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import type { SessionId } from '../src/store.ts'
import { withCode } from './support/records.ts'
import { HOUR, MINUTE, SECRET, Stage } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

let sessions: SessionManager
beforeEach(() => {
  sessions = new SessionManager({ secret: SECRET, store: new MemoryStore() })
})

async function loggedIn(user: string, userAgent = 'a browser'): Promise<Visitor> {
  const visitor = new Visitor(sessions)
  await visitor.request((session) => session.set('private', 'data'), { userAgent })
  await visitor.request((session) => session.login(user))
  return visitor
}

const isIn = async (visitor: Visitor) =>
  (await visitor.request((session) => session.user)).result !== undefined

describe('the sessions of a user', () => {
  it('are listed with when and what they were established with, and without values', async () => {
    await loggedIn('alice', 'a phone')
    await loggedIn('alice', 'a laptop')
    await loggedIn('bob')
    const listed = await sessions.sessionsOf('alice')
    const agents = new Set(listed.map(({ client }) => client?.userAgent))
    expect(agents).toEqual(new Set(['a laptop', 'a phone']))
    expect(JSON.stringify(listed)).not.toContain('data')
    expect(await sessions.sessionsOf('nobody')).toEqual([])
  })

  it('end together, but for the one that is spared', async () => {
    const [phone, laptop, other] = [
      await loggedIn('alice'),
      await loggedIn('alice'),
      await loggedIn('bob'),
    ]
    const { result: except } = await laptop.request((session) => session.id)
    expect(await sessions.revokeUser('alice', { except })).toBe(1)
    expect([await isIn(phone), await isIn(laptop), await isIn(other)]).toEqual([false, true, true])
    expect(await sessions.revokeUser('alice')).toBe(1)
    expect(await isIn(laptop)).toBe(false)
  })

  it('do not include one that was logged out with something kept', async () => {
    const alice = await loggedIn('alice')
    await alice.request((session) => session.logout({ keep: ['private'] }))
    expect(await sessions.sessionsOf('alice')).toEqual([])
  })
})

describe('what is no user and no session', () => {
  it('is refused, so that nothing that was not ended counts as ended', async () => {
    const alice = await loggedIn('alice')
    for (const user of [undefined, '', 7, 'a\0b']) {
      const misused = user as unknown as string
      const refused = withCode('ERR_SESSION_VALUE', 'takes the id of a user')
      await expect(sessions.sessionsOf(misused)).rejects.toEqual(refused)
      await expect(sessions.revokeUser(misused)).rejects.toEqual(refused)
    }
    for (const id of [undefined, '', 7]) {
      const misused = id as unknown as SessionId
      const refused = withCode('ERR_SESSION_MISUSE', 'public id of a session')
      await expect(sessions.revoke(misused)).rejects.toEqual(refused)
      await expect(sessions.inspect(misused)).rejects.toEqual(refused)
      await expect(sessions.edit(misused, () => 1)).rejects.toEqual(refused)
    }
    expect(await isIn(alice)).toBe(true)
  })

  it('has no cookie to change: edit says that a login belongs into a request', async () => {
    const alice = await loggedIn('alice')
    const { result: id } = await alice.request((session) => session.id)
    const refused = withCode('ERR_SESSION_MISUSE', 'edit has none')
    await expect(sessions.edit(id, (session) => session.login('bob'))).rejects.toEqual(refused)
    await expect(sessions.edit(id, (session) => session.renew())).rejects.toEqual(refused)
    expect(await isIn(alice)).toBe(true)
  })
})

it('every live session is listed, page by page', async () => {
  for (const user of ['a', 'b', 'c']) await loggedIn(user)
  const users: (string | undefined)[] = []
  let cursor: string | undefined
  do {
    const page = await sessions.list(cursor)
    users.push(...page.sessions.map(({ user }) => user))
    cursor = page.cursor
  } while (cursor !== undefined)
  expect(users).toHaveLength(3)
  expect(new Set(users)).toEqual(new Set(['a', 'b', 'c']))
})

describe('a session that is inspected', () => {
  it('tells its generations and none of its values', async () => {
    const alice = await loggedIn('alice')
    const { result: id } = await alice.request((session) => session.id)
    const found = await sessions.inspect(id)
    expect(found).toMatchObject({ id, user: 'alice', generation: 1, fence: 1 })
    expect(JSON.stringify(found)).not.toContain('data')
    await sessions.revoke(id)
    expect(await sessions.inspect(id)).toBeUndefined()
  })

  it('stays as long as it would have, unless it is touched with its generation', async () => {
    const stage = new Stage()
    await stage.alice.request((session) => session.set('private', 'data'))
    const { result: id } = await stage.alice.request((session) => session.id)
    const ends = stage.now + HOUR
    stage.now += 30 * MINUTE
    expect((await stage.sessions.inspect(id))?.expiresAt).toBe(ends)
    expect((await stage.sessions.inspect(id, 7))?.expiresAt).toBe(ends)
    expect((await stage.sessions.inspect(id, 0))?.expiresAt).toBe(stage.now + HOUR)
  })
})
