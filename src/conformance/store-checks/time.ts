import { setTimeout as sleep } from 'node:timers/promises'
import { demand, demandCommitted, demandEqual, loadLive, show } from '../expect.ts'
import { expiring } from '../expiring.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId, SessionStore, Touch } from '../../store.ts'

/** Clauses on the two deadlines: what may move them, and how far. */
export const timeChecks: readonly StoreCheck[] = [
  {
    id: 'S18',
    level: 'MUST',
    clause:
      'A due touch moves the idle deadline to `expiresAt`, and the session lives on until then.',
    title: 'a touch extends the life of a session',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        const first = kit.now() + span
        const id = kit.id()
        await before(first, async () => {
          await kit.store.create(id, kit.holding({ a: '1' }, { expiresAt: first }))
          await kit.store.load(id, kit.touch(first + 60_000))
          await loadLive(kit.other, id, 'before its idle deadline')
        })
        await kit.after(first)
        demandEqual(
          [...(await loadLive(kit.store, id, 'that was touched in time')).values],
          [['a', '1']],
          'the values',
        )
      })
    },
  },
  {
    id: 'S18b',
    level: 'MUST',
    clause: 'A touch never moves the idle deadline back.',
    title: 'a touch never shortens the life of a session',
    run: async (kit) => {
      const record = kit.holding({ a: '1' })
      const id = await kit.session(record)
      const touch = kit.touch(record.expiresAt - 60_000, { whenBefore: record.expiresAt + 60_000 })
      await demandUnmoved(kit, { id, touch, expiresAt: record.expiresAt })
    },
  },
  {
    id: 'S18c',
    level: 'MUST',
    clause: 'A touch moves the idle deadline at most to the absolute one.',
    title: 'a touch never goes beyond the deadline',
    run: async (kit) => {
      const deadline = kit.now() + 7_200_000
      const id = await kit.session(kit.record({ deadline }))
      await kit.store.load(id, kit.touch(deadline + 60_000))
      await expiresAtBecomes(kit, id, deadline)
      demandEqual((await loadLive(kit.store, id)).deadline, deadline, 'the deadline after a touch')
    },
  },
  {
    id: 'S18d',
    level: 'MUST',
    clause:
      "A touch of another generation than the record's moves nothing; the load finds the record nevertheless.",
    title: 'a touch under another generation moves nothing',
    run: async (kit) => {
      const record = kit.record({ generation: 4, fence: 3 })
      const id = await kit.session(record)
      for (const generation of [3, 2, 5]) {
        const touch = kit.touch(record.expiresAt + 60_000, { generation })
        await demandUnmoved(kit, { id, touch, expiresAt: record.expiresAt })
      }
    },
  },
  {
    id: 'S18e',
    level: 'MUST',
    clause:
      'After parallel touches and commits the idle deadline is the latest one that was asked for.',
    title: 'parallel touches and commits leave the latest deadline',
    run: async (kit) => {
      await kit.race(async (round) => {
        const start = kit.now() + 3_600_000
        const id = await kit.session(kit.record({ expiresAt: start }))
        const ask = (n: number): number =>
          start + 1000 * (1 + ((n * 7 + round) % kit.writers.length))
        await kit.parallel((store, n) =>
          askFor(kit, { store, id, expiresAt: ask(n), touch: n % 2 === 0 }),
        )
        await expiresAtBecomes(kit, id, Math.max(...kit.writers.map((_, n) => ask(n))))
      })
    },
  },
  {
    id: 'S19',
    level: 'MUST',
    clause:
      'A commit without `deadline` only extends: the idle deadline becomes `min(max(stored, expiresAt), stored deadline)`, and the deadline stays, also when it renews.',
    title: 'a commit extends the idle deadline and leaves the absolute one',
    run: async (kit) => {
      const expiresAt = kit.now() + 3_600_000
      const deadline = expiresAt + 60_000
      const id = await kit.session(kit.record({ expiresAt, deadline }))
      const asked = [expiresAt - 60_000, expiresAt + 30_000, expiresAt + 1000, deadline + 60_000]
      const wanted = [expiresAt, expiresAt + 30_000, expiresAt + 30_000, deadline]
      for (const [index, ask] of asked.entries()) {
        const change = kit.change({ generation: index, expiresAt: ask, rotate: 'renew' })
        const answer = demandCommitted(await kit.store.commit(id, change), 'a commit')
        demandEqual(
          [answer.expiresAt, answer.deadline],
          [wanted[index], deadline],
          `the deadlines in the answer of a commit that asked for ${ask}`,
        )
        demandEqual(
          (await loadLive(kit.other, id)).expiresAt,
          wanted[index],
          `the idle deadline after a commit that asked for ${ask}`,
        )
      }
    },
  },
  {
    id: 'S19b',
    level: 'MUST',
    clause:
      'A commit with `deadline` replaces both: the deadline becomes that one, the idle deadline `min(expiresAt, deadline)`, also if they are earlier than before.',
    title: 'a commit with a deadline begins the time anew',
    run: async (kit) => {
      const now = kit.now()
      const id = await kit.session(
        kit.record({ expiresAt: now + 7_200_000, deadline: now + 9_000_000 }),
      )
      for (const [ask, deadline] of [
        [now + 900_000, now + 1_800_000],
        [now + 9_900_000, now + 5_000_000],
      ] as const) {
        const answer = demandCommitted(
          await kit.store.commit(id, kit.change({ expiresAt: ask, deadline })),
          'a commit with a deadline',
        )
        const both = [Math.min(ask, deadline), deadline]
        demandEqual([answer.expiresAt, answer.deadline], both, 'the deadlines in the answer')
        const { expiresAt, deadline: kept } = await loadLive(kit.other, id)
        demandEqual([expiresAt, kept], both, 'the deadlines after a commit with a deadline')
      }
    },
  },
  {
    id: 'S21',
    level: 'MUST',
    clause: 'A touch moves nothing if the idle deadline is at or after `whenBefore`.',
    title: 'a touch that is not due moves nothing',
    run: async (kit) => {
      const record = kit.record()
      const id = await kit.session(record)
      for (const whenBefore of [record.expiresAt, record.expiresAt - 1]) {
        const touch = kit.touch(record.expiresAt + 60_000, { whenBefore })
        await demandUnmoved(kit, { id, touch, expiresAt: record.expiresAt })
      }
    },
  },
  {
    id: 'S21b',
    level: 'MUST',
    clause: 'A touch writes nothing but the idle deadline: parallel commits lose nothing to it.',
    title: 'touches never undo parallel commits',
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session(kit.holding({ a: '1' }, { user: 'alice' }))
        const later = kit.now() + 7_200_000
        await kit.parallel(async (store, n) => {
          if (n % 2 === 0) await store.load(id, kit.touch(later + n))
          else await store.commit(id, kit.setting({ [`key${n}`]: '1' }, { user: 'bob' }))
        })
        const { user, values } = await loadLive(kit.store, id)
        const lost = kit.writers.filter(
          (_, n) => n % 2 === 1 && values.get(`key${n}`) !== '1',
        ).length
        demandEqual(
          [lost, values.get('a'), user],
          [0, '1', 'bob'],
          'the number of lost values, a value and the user after parallel touches',
        )
      })
    },
  },
]

interface Asking {
  readonly store: SessionStore
  readonly id: SessionId
  readonly expiresAt: number
  readonly touch: boolean
}

function askFor(kit: StoreHarness, { store, id, expiresAt, touch }: Asking): Promise<unknown> {
  return touch ? store.load(id, kit.touch(expiresAt)) : store.commit(id, kit.change({ expiresAt }))
}

/** A store may send a touch after it has answered the load, so its effect is waited for. */
async function expiresAtBecomes(kit: StoreHarness, id: SessionId, wanted: number): Promise<void> {
  let seen: number | undefined
  for (let tries = 0; tries < 45; tries++) {
    seen = (await kit.other.load(id))?.expiresAt
    if (seen === wanted) return
    await sleep(tries)
  }
  demand(false, `the idle deadline became ${show(seen)} instead of ${wanted}`)
}

interface Unmoved {
  readonly id: SessionId
  readonly touch: Touch
  readonly expiresAt: number
}

async function demandUnmoved(kit: StoreHarness, { id, touch, expiresAt }: Unmoved): Promise<void> {
  const loaded = await kit.store.load(id, touch)
  demandEqual(loaded?.expiresAt, expiresAt, 'the idle deadline that such a touch answered')
  await sleep(5)
  demandEqual(
    (await loadLive(kit.other, id)).expiresAt,
    expiresAt,
    'the idle deadline after such a touch',
  )
}
