import { describe, expect, test } from 'vitest'
import { SessionManager } from '../src/manager.ts'
import type { StoreEvent } from '../src/store.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { MINUTE, SECRET } from './support/stage.ts'
import { Visitor } from './support/visitor.ts'

class Scene {
  now = Date.now()
  readonly store = new MemoryStore({ now: () => this.now })
  readonly types: string[] = []
  readonly sessions = new SessionManager({
    secret: SECRET,
    store: this.store,
    now: () => this.now,
    observe: ({ type }) => void this.types.push(type),
  })

  /** A visitor whose cookie is from before a login. */
  async thief(): Promise<Visitor> {
    const visitor = new Visitor(this.sessions)
    await visitor.request((session) => session.set('a', 1))
    const thief = new Visitor(this.sessions, visitor.cookie)
    await visitor.request((session) => session.login('alice'))
    return thief
  }
}

const look = (visitor: Visitor) => visitor.request((session) => session.user)

describe('an old credential that is presented', () => {
  test('is told to other processes, once in a minute for a session', async () => {
    const scene = new Scene()
    const thief = await scene.thief()
    const told: StoreEvent[] = []
    const stop = await scene.sessions.watch((event) => void told.push(event))
    for (let count = 0; count < 5; count++) expect((await look(thief)).result).toBeUndefined()
    scene.now += 2 * MINUTE
    await look(thief)
    await expect.poll(() => told.length).toBe(2)
    expect(told[0]).toEqual({
      type: 'replayed',
      id: told[0]?.id,
      at: scene.now - 2 * MINUTE,
      user: 'alice',
    })
    expect(scene.types.filter((type) => type === 'replayed')).toHaveLength(6)
    await stop()
  })

  test('makes an anonymous visitor whether or not it can be told', async () => {
    const scene = new Scene()
    const thief = await scene.thief()
    scene.store.tell = () => Promise.reject(new Error('the log is full'))
    expect((await look(thief)).result).toBeUndefined()
    await expect.poll(() => scene.types).toContain('store-failed')
  })
})
