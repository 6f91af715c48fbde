import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { RemoteStore } from '../../src/conformance/process.ts'
import type { SessionStore, StoreEvent } from '../../src/store.ts'
import { newChange, newId, newRecord } from './records.ts'

/** Events of one process reach a watcher in another one, all of them, and within a second. */
export async function tellsAnotherProcess(here: SessionStore, there: RemoteStore): Promise<void> {
  const heard: { readonly event: StoreEvent; readonly at: number }[] = []
  const stop = await there.watch((event) => void heard.push({ event, at: Date.now() }))
  const sent: { readonly id: string; readonly at: number }[] = []
  for (let count = 0; count < 20; count++) {
    const id = newId()
    await here.create(id, newRecord())
    sent.push({ id, at: Date.now() })
    await sleep(20)
  }
  await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(20)
  await stop()
  const took = sent.map(({ id, at }) => (heard.find(({ event }) => event.id === id)?.at ?? 0) - at)
  // Of the slower ones some may be late because the machine is busy.
  expect(took.toSorted((a, b) => a - b)[15]).toBeLessThan(1000)
}

/** A consumer that is killed in the middle of an event has its events handled by another one. */
export async function survivesTheConsumer(here: SessionStore, doomed: RemoteStore): Promise<void> {
  const begun: StoreEvent[] = []
  await doomed.consume('mail', async (event) => {
    begun.push(event)
    await new Promise(() => undefined)
  })
  const ids = [newId(), newId(), newId()]
  for (const id of ids) await here.create(id, newRecord())
  await expect.poll(() => begun.length, { timeout: 10_000 }).toBe(1)
  await doomed.kill()
  const handled: StoreEvent[] = []
  const stop = await here.consume?.('mail', (event) => void handled.push(event))
  await expect.poll(() => handled.length, { timeout: 15_000 }).toBe(3)
  await stop?.()
  expect(handled.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
}

/** Two processes sweep together; each session that expired is told once. */
export async function tellsEachExpiryOnce(
  here: SessionStore,
  processes: readonly RemoteStore[],
): Promise<void> {
  const told: StoreEvent[] = []
  const stop = await here.watch?.((event) => void told.push(event))
  const expiresAt = Date.now() + 400
  const ids = Array.from({ length: 60 }, newId)
  await Promise.all(ids.map((id) => here.create(id, newRecord({ expiresAt }))))
  await sleep(expiresAt - Date.now() + 5)
  await Promise.all([...processes, ...processes].map((store) => store.deleteExpired(40)))
  await Promise.all(processes.map((store) => store.deleteExpired(40)))
  const mark = newId()
  await here.create(mark, newRecord())
  await expect.poll(() => told.at(-1)?.id, { timeout: 10_000 }).toBe(mark)
  await stop?.()
  const expired = told.filter(({ type }) => type === 'expired').map(({ id }) => id)
  expect(expired.toSorted()).toEqual(ids.toSorted())
}

/** However many log in at once in two processes, no more sessions are left than the limit allows. */
export async function keepsTheLimit(
  here: SessionStore,
  processes: readonly [RemoteStore, RemoteStore],
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const user = `user ${newId()}`
    const full = round % 2 === 0 ? 'evict-oldest' : 'reject'
    const ids = Array.from({ length: 8 }, newId)
    await Promise.all(ids.map((id) => here.create(id, newRecord())))
    const outcomes = await Promise.all(
      ids.map((id, n) =>
        processes[n % 2 === 0 ? 0 : 1].commit(id, newChange({ user, cap: { most: 2, full } })),
      ),
    )
    expect(await here.sessionsOf?.(user)).toHaveLength(2)
    const refused = outcomes.filter((outcome) => outcome === 'full').length
    const evicted = outcomes.flatMap((outcome) =>
      typeof outcome === 'string' ? [] : (outcome.evicted ?? []),
    )
    expect([refused, new Set(evicted).size]).toEqual(full === 'reject' ? [6, 0] : [0, 6])
  }
}
