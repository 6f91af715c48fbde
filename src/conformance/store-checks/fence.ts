import { demand, demandCommitted, demandEqual, demandRecord, loadLive, show } from '../expect.ts'
import type { StoreCheck } from '../harness.ts'
import { among, full, isRotator } from './samples.ts'
import type { SessionChange } from '../../store.ts'

/** Clauses on the fence: who was opened before it stands outside, for good. */
export const fenceChecks: readonly StoreCheck[] = [
  {
    id: 'S24b',
    level: 'MUST',
    clause:
      'Of parallel commits with `fence` in one generation exactly one is applied; the others are answered `stale`.',
    title: 'parallel logins in one generation have one winner',
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session()
        const outcomes = await kit.parallel((store, n) =>
          store.commit(
            id,
            kit.setting({ [`key${n}`]: '1' }, { rotate: 'fence', user: `user${n}` }),
          ),
        )
        const winners = outcomes.flatMap((outcome, n) => (outcome === 'stale' ? [] : [n]))
        demand(
          winners.length === 1,
          `${winners.length} of ${outcomes.length} parallel fences in one generation were applied`,
        )
        const { generation, fence, user, values } = await loadLive(kit.store, id)
        demandEqual(
          [generation, fence, user, [...values.keys()]],
          [1, 1, `user${winners[0]}`, [`key${winners[0]}`]],
          'generation, fence, user and names after parallel fences',
        )
      })
    },
  },
  {
    id: 'S25b',
    level: 'MUST',
    clause:
      'A commit that is under way during a fence is either applied before it, and answered the generation before, or answered `stale`, and then nothing of it is kept.',
    title: 'commits that overlap with a fence come before it or are refused',
    run: async (kit) => {
      await kit.race(async (round) => {
        const id = await kit.session()
        const outcomes = await kit.parallel((store, n) =>
          store.commit(id, among(kit, { n, round, rotate: 'fence' })),
        )
        const { values } = await loadLive(kit.store, id)
        for (const [n, outcome] of outcomes.entries()) {
          const late = typeof outcome === 'object' && outcome.generation === 1
          demand(
            !late || isRotator(kit, n, round),
            'a commit of generation 0 was applied after a fence',
          )
          demandEqual(
            values.has(`key${n}`),
            outcome !== 'stale',
            `whether the record has the value of a commit that was answered ${show(outcome)}`,
          )
        }
      })
    },
  },
  {
    id: 'S25c',
    level: 'MUST',
    clause:
      "`fence` lets the record's generation grow by one, whether or not it was renewed since the request was opened, and puts the fence there; `renewedAt` becomes `at`; nothing else moves.",
    title: 'a fence stands at the new generation',
    run: async (kit) => {
      const before = full(kit, { generation: 4, fence: 2 })
      const id = await kit.session(before)
      const at = kit.now() + 5
      const change = kit.change({ generation: 3, rotate: 'fence', at, expiresAt: before.expiresAt })
      demandEqual(
        demandCommitted(await kit.store.commit(id, change), 'a commit with fence').generation,
        5,
        'the generation in the answer',
      )
      await demandRecord(
        kit.other,
        id,
        { ...before, generation: 5, fence: 5, renewedAt: at },
        'after a fence',
      )
    },
  },
  {
    id: 'S26',
    level: 'MUST',
    clause:
      'A commit of a generation older than the fence is answered `stale` and changes nothing: no value, no user, no generation, no deadline, whatever it asks for.',
    title: 'a fenced-off writer changes nothing at all',
    run: async (kit) => {
      const before = full(kit, { generation: 2, fence: 2 })
      const id = await kit.session(before)
      const late = before.deadline + 60_000
      for (const change of greedy(late)) {
        const outcome = await kit.store.commit(
          id,
          kit.change({ generation: 1, expiresAt: late, ...change }),
        )
        demandEqual(
          outcome,
          'stale',
          `the answer of a fenced-off commit with ${Object.keys(change).join(', ')}`,
        )
        await demandRecord(
          kit.other,
          id,
          before,
          `after a fenced-off commit with ${Object.keys(change).join(', ')}`,
        )
      }
    },
  },
  {
    id: 'S26b',
    level: 'MUST',
    clause:
      '`swap` of a generation older than the fence is answered `stale`, `take` of one is answered `undefined`, and the value stays; without a generation neither looks at the fence.',
    title: 'a fenced-off swap or take changes nothing',
    run: async (kit) => {
      const before = kit.holding({ a: '1', b: '1' }, { generation: 2, fence: 2 })
      const id = await kit.session(before)
      demandEqual(
        await kit.store.swap(id, 'a', '1', '2', 1),
        'stale',
        'the answer of a fenced-off swap',
      )
      demandEqual(
        await kit.store.swap(id, 'a', 'other', '2', 1),
        'stale',
        'the answer of a fenced-off swap with another value before',
      )
      demandEqual(await kit.store.take(id, 'b', 1), undefined, 'the answer of a fenced-off take')
      await demandRecord(kit.other, id, before, 'after a fenced-off swap and take')
      demandEqual(
        await kit.store.swap(id, 'a', '1', '2'),
        true,
        'the answer of a swap without a generation',
      )
      demandEqual(await kit.store.take(id, 'b'), '1', 'the answer of a take without a generation')
    },
  },
  {
    id: 'S26c',
    level: 'MUST',
    clause:
      'A commit writes only the fields it names: one that was opened before a login and names no user leaves the user, the times and `rememberFor` of the login as they are.',
    title: 'a late writer does not undo what it does not name',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }))
      await kit.store.load(id)
      const at = kit.now() + 5
      await kit.other.commit(
        id,
        kit.change({ user: 'alice', at, rememberFor: 5000, rotate: 'renew' }),
      )
      await kit.store.commit(id, kit.setting({ a: '2' }, { at: at + 5 }))
      const { user, authenticatedAt, rememberFor, generation, renewedAt } = await loadLive(
        kit.store,
        id,
      )
      demandEqual(
        { user, authenticatedAt, rememberFor, generation, renewedAt },
        { user: 'alice', authenticatedAt: at, rememberFor: 5000, generation: 1, renewedAt: at },
        'what the login wrote, after a late commit,',
      )
    },
  },
]

function greedy(late: number): readonly Partial<SessionChange>[] {
  return [
    {
      set: new Map([
        ['a', '2'],
        ['b', '2'],
      ]),
      unset: ['n'],
    },
    { clear: true },
    { add: new Map([['n', 1]]) },
    { add: new Map([['a-new-one', 1]]), user: 'mallory' },
    { user: null },
    { rememberFor: null },
    { rememberFor: 1 },
    { deadline: late },
    { rotate: 'renew' },
    { rotate: 'fence', user: 'mallory', deadline: late },
  ]
}
