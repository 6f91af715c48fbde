import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SessionManager } from '../src/manager.ts'
import type { StopListening, StoreEvent } from '../src/store.ts'
import { OtherProcess, storeAt, type Place } from './adapters/websocket/other-process.ts'
import { placeOf } from './adapters/websocket/places.ts'
import { SECRET } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

const ENGINES = ['embedded with a log', 'sqlite', 'postgres'] as const
const PATIENCE = { timeout: 20_000 }

describe.each(ENGINES)('managers of two processes over %s', (engine) => {
  let place: Place
  let end: () => Promise<void>
  let other: OtherProcess
  let sessions: SessionManager
  const [told, handled]: [StoreEvent[], StoreEvent[]] = [[], []]
  const stops: StopListening[] = []

  beforeAll(async () => {
    ;[place, end] = await placeOf(engine)
    other = await OtherProcess.start(place)
    sessions = new SessionManager({ secret: SECRET, store: storeAt(place) })
    stops.push(await sessions.watch((event) => void told.push(event)))
    stops.push(await sessions.consume('mail', (event) => void handled.push(event)))
    await other.do({ what: 'consume', id: await anId(), cookie: undefined })
  }, 60_000)

  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()))
    await sessions?.close()
    await other?.stop()
    await end?.()
  })

  async function anId() {
    const { result } = await new Visitor(sessions).request((session) => {
      session.set('a', 1)
      return session.id
    })
    return result
  }

  test('hear of each other: logins, old credentials, ends', async () => {
    const id = await anId()
    const visitor = new Visitor(sessions)
    const { result } = await visitor.request((session) => {
      session.set('a', 1)
      return session.id
    })
    const old = visitor.cookie
    await other.do({ what: 'login', id: result, cookie: old })
    await other.do({ what: 'increment', id: result, cookie: old })
    await expect.poll(() => told.some(({ type }) => type === 'replayed'), PATIENCE).toBe(true)
    await other.do({ what: 'revoke', id: result, cookie: undefined })
    await sessions.revoke(id)
    const of = (wanted: string) => told.filter((event) => event.id === wanted)
    await expect.poll(() => of(id).at(-1)?.type, PATIENCE).toBe('destroyed')
    await expect.poll(() => of(result).at(-1)?.type, PATIENCE).toBe('destroyed')
    expect(of(result).map(({ type, user }) => [type, user])).toEqual([
      ['created', undefined],
      ['elevated', 'alice'],
      ['replayed', 'alice'],
      ['destroyed', 'alice'],
    ])
  })

  test('share a group: every event is handled by one of them', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, anId))
    const there = async () =>
      (await other.do({ what: 'handled', id: ids[0]!, cookie: undefined })).handled
    await expect
      .poll(async () => {
        const all = [...handled, ...(await there())].map(({ id }) => id)
        return ids.filter((id) => !all.includes(id)).length
      }, PATIENCE)
      .toBe(0)
    const all = [...handled, ...(await there())].map(({ id }) => id)
    expect(ids.map((id) => all.filter((each) => each === id).length)).toEqual(ids.map(() => 1))
  })

  test('a user who logs out everywhere but here is told in both', async () => {
    const visitors = Array.from({ length: 3 }, () => new Visitor(sessions))
    for (const visitor of visitors) await visitor.request((session) => session.login('bob'))
    const listed = await sessions.sessionsOf('bob')
    const [here] = listed
    expect(await sessions.revokeUser('bob', { except: here?.id })).toBe(2)
    const ended = () => told.filter(({ type, user }) => type === 'destroyed' && user === 'bob')
    await expect.poll(() => ended().length, PATIENCE).toBe(2)
    expect((await sessions.sessionsOf('bob')).map(({ id }) => id)).toEqual([here?.id])
  })
})
