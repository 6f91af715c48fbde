import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { OtherProcess, storeAt } from './websocket/other-process.ts'
import type { Place } from './websocket/other-process.ts'
import { placeOf } from './websocket/places.ts'
import { LiveStage, closeOf } from './websocket/stage.ts'

const SECOND = 1_000

describe.each(['redis', 'embedded', 'embedded with a log', 'sqlite', 'postgres'] as const)(
  'two processes share the sessions of %s',
  (engine) => {
    let place: Place
    let other: OtherProcess
    let stage: LiveStage
    let end: () => Promise<void>

    beforeAll(async () => {
      ;[place, end] = await placeOf(engine)
      other = await OtherProcess.start(place)
    }, 60_000)

    afterAll(async () => {
      await other.stop()
      await end()
    })

    const open = async () => {
      stage = new LiveStage({}, { store: storeAt(place) })
      await stage.sessions.ready()
      await stage.begin()
      const { visitor, id } = await stage.visitor('alice')
      const connected = await stage.connect({ cookie: visitor.cookie })
      return { ...connected, visitor, id, cookie: visitor.cookie }
    }

    afterEach(() => stage.close())

    test.each([
      ['revoke', 'session ended'],
      ['logout', 'session ended'],
      ['login', 'session fenced'],
    ] as const)(
      'a %s over there closes the connection here within a second',
      async (what, reason) => {
        const { client, live, messages, id, cookie } = await open()
        // Whenever it happens between two looks.
        await sleep(Math.random() * SECOND)
        const closed = closeOf(client)
        const { at } = await other.do({ what, id, cookie })
        const seen = await closed
        expect(seen).toMatchObject({ code: 1008, reason })
        expect(seen.at - at).toBeLessThan(SECOND)
        expect(await live.edit((session) => session.set('name', 'mallory'))).toBeUndefined()
        expect(messages).toEqual([])
      },
    )

    test('what is stored over there is read here, and the other way about', async () => {
      const { live, visitor, id, cookie } = await open()
      await other.do({ what: 'increment', id, cookie })
      expect(await live.edit((session) => session.increment('views'))).toBe(2)
      await other.do({ what: 'increment', id, cookie })
      expect((await visitor.request((session) => session.get('views'))).result).toBe(3)
    })

    test('a renewal over there leaves the connection open', async () => {
      const { live, id, cookie } = await open()
      await other.do({ what: 'renew', id, cookie })
      expect(await live.edit((session) => session.increment('views'))).toBe(1)
      await sleep(SECOND)
      expect(live.ended).toBeUndefined()
    })

    test('a session whose user logs in over there opens nothing more for what was opened here', async () => {
      const { live, id, cookie } = await open()
      const { cookie: newer } = await other.do({ what: 'login', id, cookie })
      expect(await live.edit((session) => session.set('name', 'mallory'))).toBeUndefined()
      expect(live.ended).toBe('fenced')
      const again = await stage.connect({ cookie: newer })
      expect(await again.live.get('name')).toBe('alice')
    })
  },
)
