import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { WebSocketOptions } from '../../src/adapters/websocket.ts'
import type { SessionOptions } from '../../src/options.ts'
import type { SessionId, StoreCapabilities, StoreEvent } from '../../src/store.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { CountingStore } from '../support/counting-store.ts'
import { LiveStage, closeOf, textOf, until } from './websocket/stage.ts'

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

describe('after the end no message is delivered', () => {
  test('not even one that was sent at once, when the end came in this process', async () => {
    const stage = await open()
    const { visitor } = await stage.visitor()
    const { client, messages } = await stage.connect({ cookie: visitor.cookie })
    client.send('before')
    await until(() => messages.length === 1)
    await visitor.request((session) => session.destroy())
    client.send('after')
    await closeOf(client)
    expect(messages).toEqual(['before'])
  })

  test('not even one that was sent at once, when each message is checked', async () => {
    const store = memory()
    const stage = await open({ checkMessages: true, checkEvery: '1h' }, { store })
    const { visitor, id } = await stage.visitor()
    const { client, messages } = await stage.connect({ cookie: visitor.cookie })
    for (let count = 0; count < 20; count++) client.send(`before ${count}`)
    await until(() => messages.length === 20)
    expect(messages).toEqual(Array.from({ length: 20 }, (_, count) => `before ${count}`))
    await store.destroy(id)
    for (let count = 0; count < 20; count++) client.send(`after ${count}`)
    expect(await closeOf(client)).toMatchObject({ code: 1008, reason: 'session ended' })
    expect(messages).toHaveLength(20)
  })

  test('when each message is checked, none gets lost because the client leaves', async () => {
    const stage = await open({ checkMessages: true })
    const { visitor } = await stage.visitor()
    const { client, messages, socket } = await stage.connect({ cookie: visitor.cookie })
    const order: string[] = []
    socket.on('message', (data) => order.push(textOf(data)))
    socket.on('close', () => order.push('close'))
    client.send('one')
    client.send('two')
    client.close()
    await until(() => order.includes('close'))
    expect(order).toEqual(['one', 'two', 'close'])
    expect(messages).toEqual(['one', 'two'])
    expect(stage.live.size).toBe(0)
  })

  test('a client that does not answer the closing handshake is cut off, unheard', async () => {
    const stage = await open()
    const { visitor, id } = await stage.visitor()
    const { client, messages, socket } = await stage.connect({ cookie: visitor.cookie })
    const gone = new Promise<number>((resolve) => socket.on('close', () => resolve(Date.now())))
    client.pause()
    await stage.sessions.revoke(id)
    const at = Date.now()
    await until(() => socket.readyState === socket.CLOSING)
    client.send('late')
    expect((await gone) - at).toBeLessThan(2 * SECOND)
    expect(messages).toEqual([])
  })
})

describe('with a store that has events', () => {
  class Telling extends CountingStore {
    readonly listeners = new Set<(event: StoreEvent) => void>()

    override get capabilities(): StoreCapabilities {
      return { ...super.capabilities, events: 'broadcast' }
    }

    watch(listener: (event: StoreEvent) => void) {
      this.listeners.add(listener)
      return Promise.resolve(async () => void this.listeners.delete(listener))
    }

    override async destroy(id: SessionId): Promise<boolean> {
      const ended = await super.destroy(id)
      for (const listener of this.listeners) listener({ type: 'destroyed', id, at: Date.now() })
      return ended
    }
  }

  test('the end is heard, and living sessions are left alone', async () => {
    const store = new Telling(new MemoryStore())
    const stage = await open({}, { store })
    const { visitor, id } = await stage.visitor()
    const { client } = await stage.connect({ cookie: visitor.cookie })
    await sleep(900)
    store.since()
    await sleep(1_500)
    expect(store.since()).toEqual([])
    const closed = closeOf(client)
    await store.destroy(id)
    const at = Date.now()
    expect((await closed).at - at).toBeLessThan(SECOND)
    await stage.live.close()
    expect(store.listeners.size).toBe(0)
  })

  test('an end before the connection was there is found by looking', async () => {
    const store = new Telling(new MemoryStore())
    const stage = await open({}, { store })
    const first = await stage.visitor()
    await stage.connect({ cookie: first.visitor.cookie })
    const { visitor, id } = await stage.visitor()
    const listeners = [...store.listeners]
    store.listeners.clear()
    const { client } = await stage.connect({ cookie: visitor.cookie })
    await store.destroy(id)
    for (const listener of listeners) store.listeners.add(listener)
    const at = Date.now()
    expect((await closeOf(client)).at - at).toBeLessThan(SECOND)
  })
})
