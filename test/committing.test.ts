import { beforeEach, describe, expect, it } from 'vitest'
import { MINUTE, Stage } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})

describe('rotation', () => {
  beforeEach(async () => {
    await stage.alice.request((session) => session.set('login', 'alice'))
  })

  it('by renew keeps the older cookie for the grace period, and sends such a client the current one', async () => {
    const slow = new Visitor(stage.sessions, stage.alice.cookie)
    await stage.alice.request((session) => session.renew())
    expect(slow.cookie).not.toBe(stage.alice.cookie)
    stage.now += MINUTE - 1
    const late = await slow.request((session) => session.set('late', true))
    expect(late.setCookie?.split(';')[0]).toBe(stage.alice.cookie)
    const stale = new Visitor(stage.sessions, slow.cookie)
    await stage.alice.request((session) => session.renew())
    stage.now += MINUTE
    expect((await stale.request((session) => session.established)).result).toBe(false)
    expect(stage.types()).toContain('replayed')
    expect((await stage.alice.request((session) => session.get('late'))).result).toBe(true)
  })

  it('by login refuses the older cookie at once, and the write of a request under way', async () => {
    const planted = new Visitor(stage.sessions, stage.alice.cookie)
    const parked = await planted.begin()
    parked.session.set('planted', true)
    await stage.alice.request((session) => session.login('alice'))
    const late = await parked.finish()
    expect(late.headers.map(([name]) => name)).not.toContain('Set-Cookie')
    expect(stage.events.at(-1)).toMatchObject({
      type: 'write-dropped',
      outcome: 'stale',
      names: ['planted'],
    })
    expect((await planted.request((session) => session.established)).result).toBe(false)
    const { result } = await stage.alice.request((session) => [
      session.user,
      session.has('planted'),
    ])
    expect(result).toEqual(['alice', false])
  })

  it('of eight requests at once has one winner, and all learn its generation', async () => {
    const tabs = Array.from({ length: 8 }, () => new Visitor(stage.sessions, stage.alice.cookie))
    const under = await Promise.all(tabs.map((tab) => tab.begin()))
    for (const { session } of under) session.renew()
    await Promise.all(under.map(({ finish }) => finish()))
    expect(new Set(tabs.map((tab) => tab.cookie)).size).toBe(1)
    expect(stage.events.filter(({ type }) => type === 'renewed')[0]).toMatchObject({
      generation: 1,
    })
  })

  it('happens by itself when renewAfter has passed', async () => {
    const visitor = new Visitor(stage.manage({ renewAfter: '15m' }))
    await visitor.request((session) => session.set('a', 1))
    stage.now += 14 * MINUTE
    expect((await visitor.request((session) => session.get('a'))).setCookie).toBeUndefined()
    stage.now += MINUTE
    expect((await visitor.request((session) => session.get('a'))).setCookie).toContain('.1.')
  })
})

describe('parallel requests', () => {
  beforeEach(() => stage.alice.request((session) => session.set('list', ['a'])))

  it('keep each other’s values, also deletions and values changed in place', async () => {
    await stage.alice.request((session) => session.set('gone', 1).set('kept', 1))
    const [one, two] = [await stage.alice.begin(), await stage.alice.begin()]
    const list = one.session.get('list')
    if (Array.isArray(list)) list.push('b')
    two.session.set('new', true).delete('gone')
    await Promise.all([one.finish(), two.finish()])
    const { result } = await stage.alice.request((session) => Object.fromEntries(session))
    expect(result).toEqual({ list: ['a', 'b'], kept: 1, new: true })
  })

  it('add up what they increment', async () => {
    const tabs = await Promise.all(Array.from({ length: 16 }, () => stage.alice.begin()))
    for (const { session } of tabs) session.increment('views')
    await Promise.all(tabs.map(({ finish }) => finish()))
    expect((await stage.alice.request((session) => session.get('views'))).result).toBe(16)
  })

  it('update one value by compare-and-set, none lost', async () => {
    const tabs = await Promise.all(Array.from({ length: 16 }, () => stage.alice.begin()))
    await Promise.all(
      tabs.map(({ session }, index) =>
        session.update('list', (list) => [...(Array.isArray(list) ? list : []), index]),
      ),
    )
    const { result } = await stage.alice.request((session) => session.get('list'))
    expect(result).toHaveLength(17)
    await expect(
      stage.alice.request((session) => session.update('list', () => undefined)),
    ).resolves.toBeDefined()
    expect((await stage.alice.request((session) => session.has('list'))).result).toBe(false)
  })

  it('take a notification exactly once', async () => {
    await stage.alice.request((session) =>
      session.notifications.set('saved', { text: 'Profile saved' }),
    )
    const tabs = await Promise.all(Array.from({ length: 16 }, () => stage.alice.begin()))
    for (const { session } of tabs) expect([...session.notifications.keys()]).toEqual(['saved'])
    const taken = await Promise.all(tabs.map(({ session }) => session.notifications.take('saved')))
    expect(taken.filter((message) => message !== undefined)).toEqual([{ text: 'Profile saved' }])
  })
})
