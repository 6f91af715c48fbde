import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import type { WebSocketOptions } from '../../src/adapters/websocket.ts'
import type { SessionOptions } from '../../src/options.ts'
import type { SessionId } from '../../src/store.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { CountingStore } from '../support/counting-store.ts'
import { LiveStage, answerTo, closeOf } from './websocket/stage.ts'

const stages: LiveStage[] = []
const SECOND = 1_000

afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()))
})

async function open(
  options?: WebSocketOptions,
  sessionOptions?: SessionOptions,
): Promise<LiveStage> {
  const stage = new LiveStage(options, sessionOptions)
  stages.push(stage)
  return stage.begin()
}

/** A store that is changed behind the back of the manager, as by another process. */
function memory(): CountingStore {
  return new CountingStore(new MemoryStore())
}

describe('a connection is closed within a second', () => {
  test.each([
    ['revoked', 'session ended', (stage: LiveStage, id: SessionId) => stage.sessions.revoke(id)],
    [
      'revoked with all sessions of its user',
      'session ended',
      (stage: LiveStage) => stage.sessions.revokeUser('alice'),
    ],
    [
      'destroyed by an edit',
      'session ended',
      (stage: LiveStage, id: SessionId) => stage.sessions.edit(id, (session) => session.destroy()),
    ],
    [
      'destroyed over the connection itself',
      'session ended',
      (stage: LiveStage) => stage.served[0]?.live.edit((session) => session.destroy()),
    ],
  ])('when its session is %s', async (_, reason, act) => {
    const stage = await open()
    const { visitor, id } = await stage.visitor('alice')
    const { client, live } = await stage.connect({ cookie: visitor.cookie })
    const closed = closeOf(client)
    await act(stage, id)
    const at = Date.now()
    const seen = await closed
    expect(seen).toMatchObject({ code: 1008, reason })
    expect(seen.at - at).toBeLessThan(SECOND)
    expect(live.ended).toBe('ended')
    expect(stage.live.size).toBe(0)
  })

  test.each([
    ['logs out', 'session ended', 'logout'],
    ['destroys it', 'session ended', 'destroy'],
    ['logs out and keeps something', 'session fenced', 'keep'],
    ['logs in again', 'session fenced', 'login'],
  ] as const)('when a request %s', async (_, reason, what) => {
    const stage = await open()
    const { visitor } = await stage.visitor('alice')
    const { client } = await stage.connect({ cookie: visitor.cookie })
    const closed = closeOf(client)
    await visitor.request((session) => {
      if (what === 'keep') session.logout({ keep: ['name'] })
      else if (what === 'login') session.login('alice')
      else session[what]()
    })
    const at = Date.now()
    const seen = await closed
    expect(seen).toMatchObject({ code: 1008, reason })
    expect(seen.at - at).toBeLessThan(SECOND)
  })

  test('when its session expires, also at the absolute end', async () => {
    const stage = await open({ checkEvery: '1h' }, { idleTimeout: '400ms', lifetime: '800ms' })
    const [idle, busy] = [await stage.visitor(), await stage.visitor()]
    const ends = Date.now() + 800
    const idleSocket = await stage.connect({ cookie: idle.visitor.cookie })
    const busySocket = await stage.connect({ cookie: busy.visitor.cookie })
    const timer = setInterval(() => void busySocket.live.edit((s) => s.increment('views')), 50)
    const [idleEnd, busyEnd] = [closeOf(idleSocket.client), closeOf(busySocket.client)]
    expect(await idleEnd).toMatchObject({ code: 1008, reason: 'session expired' })
    expect(await busyEnd).toMatchObject({ code: 1008, reason: 'session expired' })
    clearInterval(timer)
    expect((await idleEnd).at).toBeLessThan((await busyEnd).at)
    expect(Math.abs((await busyEnd).at - ends)).toBeLessThan(SECOND)
  })

  test('when nobody tells of the end: it is found by looking', async () => {
    const store = memory()
    const stage = await open({}, { store })
    const { visitor, id } = await stage.visitor()
    const { client } = await stage.connect({ cookie: visitor.cookie })
    await sleep(1_500)
    const closed = closeOf(client)
    await store.destroy(id)
    const at = Date.now()
    expect((await closed).at - at).toBeLessThan(SECOND)
  })

  test('with the code that was chosen', async () => {
    const stage = await open({ closeCode: 4401 })
    const { visitor, id } = await stage.visitor()
    const { client } = await stage.connect({ cookie: visitor.cookie })
    await stage.sessions.revoke(id)
    expect(await closeOf(client)).toMatchObject({ code: 4401, reason: 'session ended' })
  })

  test('all of them, when many belong to one session, which is looked at once for all', async () => {
    const store = memory()
    const stage = await open({}, { store })
    const [alice, bob] = [await stage.visitor(), await stage.visitor()]
    const cookie = alice.visitor.cookie
    const clients = []
    for (let count = 0; count < 30; count++) clients.push((await stage.connect({ cookie })).client)
    const other = await stage.connect({ cookie: bob.visitor.cookie })
    store.since()
    await sleep(1_300)
    expect(store.since().length).toBeLessThanOrEqual(6)
    const closed = clients.map(closeOf)
    await store.destroy(alice.id)
    const at = Date.now()
    for (const { code, at: when } of await Promise.all(closed)) {
      expect(code).toBe(1008)
      expect(when - at).toBeLessThan(SECOND)
    }
    expect(await answerTo(other.client, 'and I?')).toBe('got and I?')
    expect(stage.live.size).toBe(1)
  })
})

describe('a connection stays', () => {
  test('over a renewal, whose session it goes on using', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor('alice')
    const { client, live } = await stage.connect({ cookie: visitor.cookie })
    const before = visitor.cookie
    await visitor.request((session) => session.renew())
    expect(visitor.cookie).not.toBe(before)
    expect(await live.edit((session) => session.increment('views'))).toBe(1)
    await sleep(900)
    expect(await answerTo(client, 'hello')).toBe('got hello')
    expect(live.ended).toBeUndefined()
  })

  test('during an outage until its session would have expired, then is asked to come again', async () => {
    class Broken extends CountingStore {
      broken = false
      override load(...call: Parameters<CountingStore['load']>) {
        return this.broken ? Promise.reject(new Error('the wire is cut')) : super.load(...call)
      }
    }
    const store = new Broken(new MemoryStore())
    const stage = await open({}, { store, idleTimeout: '1s', lifetime: '1h' })
    const { visitor } = await stage.visitor()
    const { client } = await stage.connect({ cookie: visitor.cookie })
    const closed = closeOf(client)
    store.broken = true
    expect(await answerTo(client, 'hello')).toBe('got hello')
    expect(await closed).toMatchObject({ code: 1013, reason: 'session unavailable' })
  })

  test('until the server closes', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const { client, live } = await stage.connect({ cookie: visitor.cookie })
    const closed = closeOf(client)
    await stage.live.close()
    expect(await closed).toMatchObject({ code: 1001, reason: 'server closing' })
    expect(live.ended).toBe('closing')
  })
})

describe('after a login', () => {
  test('what was opened before can no longer write, at once; the new cookie connects', async () => {
    const store = memory()
    const stage = await open({}, { store })
    const { visitor } = await stage.visitor()
    const { live } = await stage.connect({ cookie: visitor.cookie })
    await visitor.request((session) => session.login('alice'))
    let reached = false
    const edited = await live.edit((session) => {
      reached = true
      session.set('name', 'mallory')
    })
    expect([edited, reached, live.ended]).toEqual([undefined, false, 'fenced'])
    const again = await stage.connect({ cookie: visitor.cookie })
    expect([again.live.user, await again.live.get('name')]).toEqual(['alice', 'alice'])
  })

  test('an edit that is under way is dropped', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const { live } = await stage.connect({ cookie: visitor.cookie })
    const edited = await live.edit(async (session) => {
      await visitor.request((inRequest) => inRequest.login('alice'))
      session.set('name', 'mallory')
      return 'done'
    })
    expect([edited, live.ended]).toEqual([undefined, 'fenced'])
    expect((await visitor.request((session) => session.get('name'))).result).toBe('alice')
  })
})

test('nothing keeps a process that has served connections', async () => {
  const program = fileURLToPath(new URL('./websocket/exiting.ts', import.meta.url))
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--import', 'tsx', program], { timeout: 15_000 })
  expect(stdout).toBe('connections 0\n')
})
