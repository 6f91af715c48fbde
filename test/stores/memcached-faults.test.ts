import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isSessionError } from '../../src/errors.ts'
import { MemcachedStore } from '../../src/stores/memcached.ts'
import { startMemcached, type MemcachedServer } from '../support/memcached.ts'
import { newChange, newId, newRecord, newTouch, withCode } from '../support/records.ts'

let server: MemcachedServer
let store: MemcachedStore

beforeAll(async () => {
  server = await startMemcached()
  store = new MemcachedStore({ servers: [server.address], deadline: '400ms' })
})

afterEach(async () => {
  server.resume()
  await server.start()
  await expect.poll(() => store.ready().then(() => 'answers', String)).toBe('answers')
})

afterAll(async () => {
  await store?.close()
  await server?.stop()
})

/** Every verb, on a session that is there. */
async function everyVerb(): Promise<(() => Promise<unknown>)[]> {
  const id = newId()
  await store.create(id, newRecord())
  return [
    () => store.load(id),
    () => store.load(id, newTouch()),
    () => store.create(newId(), newRecord()),
    () => store.commit(id, newChange()),
    () => store.swap(id, 'a', '"1"', '2'),
    () => store.take(id, 'a'),
    () => store.destroy(id),
  ]
}

describe('a frozen server', () => {
  test('every verb ends by its deadline with an error, and works again afterwards', async () => {
    const verbs = await everyVerb()
    server.pause()
    const start = performance.now()
    const answers = await Promise.allSettled(verbs.map((verb) => verb()))
    expect(performance.now() - start).toBeLessThan(1_500)
    for (const answer of answers) {
      expect(answer).toEqual({ status: 'rejected', reason: withCode('ERR_SESSION_TIMEOUT') })
    }
    await sleep(50)
    for (const verb of verbs) {
      const late = await verb().catch((error: unknown) => error)
      expect(isSessionError(late) && late.status).toBe(503)
    }
    server.resume()
    const id = newId()
    await expect.poll(() => store.create(id, newRecord()).catch(String)).toBe(true)
    expect(await store.load(id)).toBeDefined()
  })
})

describe('a server that is not there', () => {
  test('every verb says so at once', async () => {
    const verbs = await everyVerb()
    await server.kill()
    for (const verb of verbs) await expect(verb()).rejects.toEqual(withCode('ERR_SESSION_STORE'))
    await sleep(100)
    const start = performance.now()
    for (let n = 0; n < 500; n++)
      await expect(store.load(newId())).rejects.toEqual(withCode('ERR_SESSION_STORE'))
    expect(performance.now() - start).toBeLessThan(1_500)
  })

  test('one that was there from the beginning on is found when it comes', async () => {
    await server.kill()
    const early = new MemcachedStore({ servers: [server.address] })
    await expect(early.ready()).rejects.toEqual(withCode('ERR_SESSION_STORE'))
    await server.start()
    await expect.poll(() => early.ready().then(() => 'answers', String)).toBe('answers')
    await early.close()
  })

  test('after a restart sessions are gone, and new ones are kept', async () => {
    const id = newId()
    await store.create(id, newRecord())
    await server.restart()
    await expect.poll(() => store.load(id).catch(String)).toBeUndefined()
    expect(await store.commit(id, newChange())).toBe('gone')
    expect(await store.create(id, newRecord())).toBe(true)
  })
})

describe('one of two servers', () => {
  test('that is away takes its own sessions with it, and no others', async () => {
    const other = await startMemcached()
    const both = new MemcachedStore({ servers: [server.address, other.address], deadline: '400ms' })
    const ids = Array.from({ length: 40 }, newId)
    for (const id of ids) await both.create(id, newRecord())
    await other.kill()
    const answers = await Promise.allSettled(ids.map((id) => both.load(id)))
    const found = answers.filter(
      (answer) => answer.status === 'fulfilled' && answer.value !== undefined,
    )
    const failed = answers.filter(({ status }) => status === 'rejected')
    expect(found.length + failed.length).toBe(ids.length)
    expect(found.length).toBeGreaterThan(0)
    expect(failed.length).toBeGreaterThan(0)
    await both.close()
    await other.stop()
  })
})

describe('closing', () => {
  test('a call on its way and a later one are told, and the connection ends', async () => {
    const brief = new MemcachedStore({ servers: [server.address] })
    await brief.ready()
    server.pause()
    const waiting = brief.load(newId()).catch((error: unknown) => error)
    await brief.close()
    expect(await waiting).toEqual(withCode('ERR_SESSION_CLOSED'))
    await expect(brief.load(newId())).rejects.toEqual(withCode('ERR_SESSION_CLOSED'))
  })
})
