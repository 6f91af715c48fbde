import {
  demand,
  demandAbsent,
  demandCommitted,
  demandEqual,
  demandError,
  demandRecord,
  loadLive,
  show,
} from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId, SessionStore } from '../../store.ts'

/** Clauses on the engine as a whole: listing, sweeping, separation, closing. */
export const engineChecks: readonly StoreCheck[] = [
  {
    id: 'S33',
    level: 'MUST',
    clause:
      'The pages of `list` have every live session and no session that is destroyed or expired, and come to an end.',
    title: 'listing shows the living and not the dead',
    needs: ['list'],
    run: async (kit) => {
      const live = await Promise.all(
        Array.from({ length: 120 }, () => kit.session(kit.holding({ a: '1' }))),
      )
      const ended = await kit.session()
      await kit.store.destroy(ended)
      const expiresAt = kit.now() + 30
      const expired = await kit.session(kit.record({ expiresAt }))
      await kit.after(expiresAt)
      const found = await listAll(kit.other)
      demandEqual(
        live.filter((id) => !found.has(id)).length,
        0,
        'the number of live sessions that list left out',
      )
      demand(!found.has(ended), 'list shows a session that was destroyed')
      demand(!found.has(expired), 'list shows a session that has expired')
    },
  },
  {
    id: 'S33b',
    level: 'MUST',
    clause:
      'A session that lives from the first page of `list` to the last is on one of them, also while others are created and destroyed.',
    title: 'listing is not disturbed by what comes and goes',
    needs: ['list'],
    run: async (kit) => {
      const ids = await Promise.all(Array.from({ length: 120 }, () => kit.session()))
      const live = ids.filter((_, n) => n % 2 === 1)
      const going = ids.filter((_, n) => n % 2 === 0)
      const [found] = await Promise.all([listAll(kit.other), comeAndGo(kit, going)])
      demandEqual(
        live.filter((id) => !found.has(id)).length,
        0,
        'the number of live sessions that list left out',
      )
    },
  },
  {
    id: 'S43',
    level: 'MUST',
    clause:
      "Stores under another prefix, table or database of the same engine never see each other's sessions.",
    title: 'two applications in one engine do not meet',
    needs: ['elsewhere'],
    run: async (kit) => {
      const elsewhere = await kit.engine.elsewhere?.()
      if (elsewhere === undefined) return
      try {
        await demandApart(kit, elsewhere)
      } finally {
        await elsewhere.close?.()
      }
    },
  },
  {
    id: 'S48',
    level: 'MUST',
    clause:
      '`deleteExpired(limit)` removes at most `limit` records, only expired ones, says how many, and answers 0 when there are none.',
    title: 'sweeping removes the expired, in bounded steps',
    needs: ['sweep'],
    run: async (kit) => {
      const expiresAt = kit.now() + 40
      const record = kit.holding({ a: '1' }, { user: 'alice' })
      const live = await Promise.all(Array.from({ length: 5 }, () => kit.session(record)))
      await Promise.all(Array.from({ length: 12 }, () => kit.session(kit.record({ expiresAt }))))
      await kit.after(expiresAt)
      const first = await kit.store.deleteExpired?.(5)
      demand(
        first !== undefined && first >= 0 && first <= 5,
        `deleteExpired(5) answered ${show(first)}`,
      )
      await sweepAll(kit.store)
      for (const id of live) await demandRecord(kit.other, id, record, 'after sweeping')
    },
  },
  {
    id: 'S48b',
    level: 'MUST',
    clause:
      'Parallel sweeps, commits and creates do not harm each other: what is alive stays, and no record is counted twice.',
    title: 'sweeping in parallel counts each record once',
    needs: ['sweep'],
    run: async (kit) => {
      await sweepAll(kit.store)
      const expiresAt = kit.now() + 60
      await Promise.all(Array.from({ length: 40 }, () => kit.session(kit.record({ expiresAt }))))
      const live = await Promise.all(kit.writers.map(() => kit.session()))
      await kit.after(expiresAt)
      const counts = await kit.parallel((store, n) =>
        sweepOrWrite(kit, { store, id: live[n] ?? kit.id(), n }),
      )
      const removed = counts.reduce((sum, count) => sum + count, 0)
      demand(removed <= 40, `parallel sweeps of 40 expired records counted ${removed}`)
      for (const [n, id] of live.entries()) {
        demandEqual(
          (await loadLive(kit.store, id, 'after parallel sweeps')).values.size,
          n % 2,
          'the number of values',
        )
      }
    },
  },
  {
    id: 'S48c',
    level: 'MUST',
    clause:
      'Nothing of an expired record can be read from the engine once `deleteExpired` has answered 0.',
    title: 'sweeping leaves nothing',
    needs: ['sweep', 'dump'],
    run: async (kit) => {
      const mark = `mark${kit.id()}`
      const expiresAt = kit.now() + 40
      const id = await kit.session(kit.holding({ [mark]: mark }, { user: mark, expiresAt }))
      await kit.after(expiresAt)
      await sweepAll(kit.store)
      const left = (await kit.engine.dump?.()) ?? ''
      demand(
        !left.includes(mark) && !left.includes(id),
        'a swept session can still be read from the engine',
      )
    },
  },
  {
    id: 'S46',
    level: 'SHOULD',
    clause: '`close` may be called twice, and after it every verb throws `ERR_SESSION_CLOSED`.',
    title: 'a closed store says that it is closed',
    needs: ['shared', 'close'],
    run: async (kit) => {
      const store = await kit.reopen()
      await store.ready?.()
      const id = await kit.session()
      demand((await store.load(id)) !== undefined, 'load found nothing under a live id')
      await store.close?.()
      await store.close?.()
      for (const call of [
        store.load(id),
        store.commit(id, kit.change()),
        store.create(kit.id(), kit.record()),
        store.destroy(id),
      ]) {
        await demandError(call, ['ERR_SESSION_CLOSED'], 'a call after close')
      }
      await loadLive(kit.store, id, 'after another store over the engine was closed')
    },
  },
]

async function listAll(store: SessionStore): Promise<ReadonlySet<SessionId>> {
  const found = new Set<SessionId>()
  let cursor: string | undefined
  for (let pages = 0; pages < 100_000; pages++) {
    const page = await store.list?.(cursor)
    for (const id of page?.ids ?? []) found.add(id)
    cursor = page?.cursor
    if (cursor === undefined) return found
  }
  demand(false, 'list did not come to an end within 100000 pages')
  return found
}

async function comeAndGo(kit: StoreHarness, going: readonly SessionId[]): Promise<void> {
  for (const id of going) {
    await kit.store.destroy(id)
    await kit.session()
  }
}

async function demandApart(kit: StoreHarness, elsewhere: SessionStore): Promise<void> {
  const user = `alice-${kit.id()}`
  const here = kit.holding({ a: 'here' }, { user })
  const id = await kit.session(here)
  await demandAbsent(elsewhere, id, 'of another application')
  demandEqual(
    await elsewhere.destroy(id),
    false,
    'the answer of destroy of a session of another application',
  )
  demandEqual(
    await elsewhere.create(id, kit.holding({ a: 'there' })),
    true,
    'the answer of create under an id of another application',
  )
  demandCommitted(await elsewhere.commit(id, kit.setting({ b: 'there' })), 'a commit')
  await demandRecord(kit.store, id, here, 'after another application used the same id')
  const found = await elsewhere.sessionsOf?.(user)
  demandEqual(found ?? [], [], 'the sessions of a user of another application')
  await elsewhere.destroy(id)
  if (elsewhere.list !== undefined)
    demand(!(await listAll(elsewhere)).has(id), 'list shows a session of another application')
  await demandRecord(kit.store, id, here, 'after another application destroyed the same id')
}

async function sweepAll(store: SessionStore): Promise<void> {
  for (let calls = 0; calls < 100_000; calls++) {
    if ((await store.deleteExpired?.(100)) === 0) return
  }
  demand(false, 'deleteExpired never answered 0')
}

interface SweepOrWrite {
  readonly store: SessionStore
  readonly id: SessionId
  readonly n: number
}

async function sweepOrWrite(kit: StoreHarness, { store, id, n }: SweepOrWrite): Promise<number> {
  if (n % 2 === 0) return (await store.deleteExpired?.(10)) ?? 0
  await store.commit(id, kit.setting({ a: '1' }))
  return 0
}
