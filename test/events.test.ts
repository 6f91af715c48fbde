import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVENT_CHANNEL, type SessionEvent, SessionManager } from '../src/index.ts'
import { SECRET, Stage } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

let stage: Stage
let published: SessionEvent[]
const keep = (message: unknown): void => void published.push(message as SessionEvent)
beforeEach(() => {
  stage = new Stage()
  published = []
  subscribe(EVENT_CHANNEL, keep)
})
afterEach(() => unsubscribe(EVENT_CHANNEL, keep))

describe('events', () => {
  it('are told to the observer and on the channel, in order, with the time and the public id', async () => {
    const { alice } = stage
    const { result: id } = await alice.request((session) => session.set('a', 1).id)
    await alice.request((session) => session.login('alice'))
    await alice.request((session) => session.renew())
    await alice.request((session) => session.logout())
    const at = stage.now
    expect(stage.events).toEqual([
      { type: 'created', id, at },
      { type: 'elevated', id, user: 'alice', at },
      { type: 'renewed', id, generation: 2, at },
      { type: 'logged-out', id, user: 'alice', at },
      { type: 'destroyed', id, by: 'request', at },
    ])
    expect(published).toEqual(stage.events)
  })

  it('hold no token and no cookie', async () => {
    const visitor = new Visitor(stage.sessions)
    await visitor.request((session) => session.set('a', 'private'))
    const cookie = visitor.cookie ?? ''
    await new Visitor(stage.sessions, `${cookie}x`).request((session) => session.get('a'))
    await visitor.request((session) => session.destroy())
    await new Visitor(stage.sessions, cookie).request((session) => session.get('a'))
    const types = published.map(({ type }) => type)
    expect(types).toEqual(['created', 'cookie-refused', 'destroyed', 'unknown-session'])
    const [, , token = ''] = cookie.split('.')
    expect(token).toHaveLength(43)
    expect(JSON.stringify(published)).not.toMatch(new RegExp(`${token}|private`))
  })

  it.each([
    ['throws', () => raise()],
    ['rejects', (): unknown => Promise.reject(new Error('the log is full'))],
  ])('of an observer that %s leave the session as it is, and that is told', async (_, observe) => {
    const sessions = new SessionManager({ secret: SECRET, store: stage.store, observe })
    const visitor = new Visitor(sessions)
    await visitor.request((session) => session.set('a', 1))
    expect((await visitor.request((session) => session.get('a'))).result).toBe(1)
    expect(published.map(({ type }) => type)).toEqual(['created', 'observer-failed'])
  })
})

function raise(): never {
  throw new Error('the log is full')
}
