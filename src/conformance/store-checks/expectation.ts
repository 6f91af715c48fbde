import {
  demand,
  demandCommitted,
  demandEqual,
  demandError,
  demandRecord,
  loadLive,
} from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import { isSessionError } from '../../errors.ts'
import type { SessionChange, SessionId, SessionStore } from '../../store.ts'

/** Clauses on `expect`: a commit that is applied only if some values still are what they were. */
export const expectationChecks: readonly StoreCheck[] = [
  {
    id: 'S69',
    level: 'MUST',
    needs: ['expect'],
    clause:
      'A commit whose `expect` names another text than the record has throws `ERR_SESSION_CONFLICT` and changes nothing; one whose `expect` holds is applied.',
    title: 'a commit may expect what it replaces',
    run: async (kit) => {
      const before = kit.holding({ a: '1', b: '1', n: '5' }, { user: 'alice' })
      const id = await kit.session(before)
      for (const expect of [{ a: '2' }, { a: '1', b: '2' }, { a: '1', missing: '' }, { a: '' }]) {
        const change = greedy(kit, new Map(Object.entries(expect)))
        await demandError(
          kit.store.commit(id, change),
          ['ERR_SESSION_CONFLICT'],
          `a commit that expects ${JSON.stringify(expect)}`,
        )
        await demandRecord(kit.other, id, before, 'after a commit whose expectation failed')
      }
      demandCommitted(
        await kit.store.commit(
          id,
          greedy(
            kit,
            new Map([
              ['a', '1'],
              ['b', '1'],
            ]),
          ),
        ),
        'a commit whose expectation holds',
      )
      const { user, values } = await loadLive(kit.other, id)
      demandEqual(
        [user, new Map(values)],
        [
          'bob',
          new Map([
            ['a', '9'],
            ['n', '1'],
          ]),
        ],
        'user and values after a commit whose expectation holds',
      )
    },
  },
  {
    id: 'S69b',
    level: 'MUST',
    needs: ['expect'],
    clause: 'In `expect`, `undefined` stands for absence, and an empty text is a value.',
    title: 'absence can be expected',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ empty: '' }))
      for (const [name, text] of [
        ['empty', undefined],
        ['missing', ''],
      ] as const) {
        const call = kit.store.commit(id, kit.change({ expect: new Map([[name, text]]) }))
        await demandError(
          call,
          ['ERR_SESSION_CONFLICT'],
          `a commit that expects ${name} to be ${JSON.stringify(text)}`,
        )
      }
      const expect = new Map([
        ['missing', undefined],
        ['empty', ''],
      ])
      demandCommitted(
        await kit.store.commit(id, kit.setting({ missing: '1' }, { expect })),
        'a commit that expects absence and an empty text',
      )
      demandEqual((await loadLive(kit.other, id)).values.get('missing'), '1', 'the value')
    },
  },
  {
    id: 'S69c',
    level: 'MUST',
    needs: ['expect'],
    clause:
      'A commit to no record is answered `gone` and a fenced-off one `stale` before its `expect` is looked at; `expect` is looked at before `add`.',
    title: 'gone and stale come before a conflict',
    run: async (kit) => {
      const expect = new Map([['a', 'other']])
      const fenced = await kit.session(kit.holding({ a: 'text' }, { generation: 1, fence: 1 }))
      demandEqual(
        await kit.store.commit(fenced, kit.change({ expect })),
        'stale',
        'the answer of a fenced-off commit',
      )
      demandEqual(
        await kit.store.commit(kit.id(), kit.change({ expect })),
        'gone',
        'the answer of a commit under an unknown id',
      )
      const both = kit.change({ generation: 1, expect, add: new Map([['a', 1]]) })
      await demandError(
        kit.store.commit(fenced, both),
        ['ERR_SESSION_CONFLICT'],
        'a commit that adds to a text and expects another',
      )
    },
  },
  {
    id: 'S69d',
    level: 'MUST',
    needs: ['expect'],
    clause: 'Of parallel commits that expect the same text and replace it exactly one is applied.',
    title: 'parallel commits that expect the same have one winner',
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session(kit.holding({ a: 'start' }))
        const applied = await kit.parallel((store, n) => isApplied(kit, { store, id, n }))
        const winners = applied.flatMap((yes, n) => (yes ? [`${n}`] : []))
        demand(
          winners.length === 1,
          `${winners.length} of ${applied.length} parallel commits that expect the same text were applied`,
        )
        demandEqual(
          (await loadLive(kit.store, id)).values.get('a'),
          winners[0],
          'the value after them',
        )
      })
    },
  },
]

function greedy(kit: StoreHarness, expect: ReadonlyMap<string, string>): SessionChange {
  return kit.setting({ a: '9' }, { clear: true, add: new Map([['n', 1]]), user: 'bob', expect })
}

interface Contender {
  readonly store: SessionStore
  readonly id: SessionId
  readonly n: number
}

async function isApplied(kit: StoreHarness, { store, id, n }: Contender): Promise<boolean> {
  const change = kit.setting({ a: `${n}` }, { expect: new Map([['a', 'start']]) })
  try {
    return typeof (await store.commit(id, change)) === 'object'
  } catch (error) {
    if (isSessionError(error) && error.code === 'ERR_SESSION_CONFLICT') return false
    throw error
  }
}
