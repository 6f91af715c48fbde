import { demandCommitted, demandEqual, demandRecord, loadLive } from '../expect.ts'
import type { StoreCheck } from '../harness.ts'
import { among, full } from './samples.ts'
import type { CommitOutcome } from '../../store.ts'

/** Clauses on the generation: who may still write, and what a rotation leaves as it is. */
export const rotationChecks: readonly StoreCheck[] = [
  {
    id: 'S23',
    level: 'MUST',
    clause:
      '`renew` lets the generation grow by one and sets `renewedAt` to `at`; the fence, the values and every other field stay.',
    title: 'renewing counts the generation and moves nothing else',
    run: async (kit) => {
      const before = full(kit, { generation: 4, fence: 2 })
      const id = await kit.session(before)
      const at = kit.now() + 5
      const change = kit.change({ generation: 4, rotate: 'renew', at, expiresAt: before.expiresAt })
      demandEqual(
        demandCommitted(await kit.store.commit(id, change), 'a renewal').generation,
        5,
        'the generation in the answer',
      )
      await demandRecord(
        kit.other,
        id,
        { ...before, generation: 5, renewedAt: at },
        'after a renewal',
      )
    },
  },
  {
    id: 'S23b',
    level: 'MUST',
    clause:
      'A generation that is not older than the fence may load, commit, swap and take, however far the record has been renewed since.',
    title: 'older generations may write as long as no fence stands before them',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1', b: '1' }, { generation: 7, fence: 5 }))
      for (const generation of [5, 6, 7]) {
        const answer = demandCommitted(
          await kit.store.commit(id, kit.setting({ a: `${generation}` }, { generation })),
          `a commit of generation ${generation} with the fence at 5`,
        )
        demandEqual(answer.generation, 7, 'the generation in the answer')
      }
      demandEqual(
        await kit.store.swap(id, 'a', '7', '8', 5),
        true,
        'the answer of swap in a generation equal to the fence',
      )
      demandEqual(
        await kit.store.take(id, 'b', 5),
        '1',
        'the answer of take in a generation equal to the fence',
      )
    },
  },
  {
    id: 'S23c',
    level: 'MUST',
    clause:
      "`renew` by a request whose generation is not the record's any more adopts the record's: nothing is rotated again, `renewedAt` stays, and the rest of the change is applied.",
    title: 'a late renewal adopts the generation that is there',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }))
      const at = kit.now() + 5
      await kit.other.commit(id, kit.change({ rotate: 'renew', at }))
      const late = demandCommitted(
        await kit.store.commit(id, kit.setting({ a: '2' }, { rotate: 'renew', at: at + 5 })),
        'a late renewal',
      )
      demandEqual(late.generation, 1, 'the generation in the answer of a late renewal')
      const { generation, renewedAt, values } = await loadLive(kit.store, id)
      demandEqual(
        [generation, renewedAt, values.get('a')],
        [1, at, '2'],
        'generation, renewedAt and a value after a late renewal',
      )
    },
  },
  {
    id: 'S24',
    level: 'MUST',
    clause:
      'Of parallel renewals in one generation one lets it grow; the others are answered the same new generation and lose nothing of what they set.',
    title: 'parallel renewals grow the generation by one',
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session()
        const outcomes = await kit.parallel((store, n) =>
          store.commit(id, kit.setting({ [`key${n}`]: '1' }, { rotate: 'renew' })),
        )
        const { generation, values } = await loadLive(kit.store, id)
        demandEqual(
          [generation, values.size],
          [1, kit.writers.length],
          'generation and number of values after parallel renewals',
        )
        demandEqual(
          new Set(outcomes.map(generationOf)),
          new Set([1]),
          'the set of generations that parallel renewals were answered',
        )
      })
    },
  },
  {
    id: 'S25',
    level: 'MUST',
    clause: 'A commit that is under way during a renewal is applied.',
    title: 'commits that overlap with a renewal hold',
    run: async (kit) => {
      await kit.race(async (round) => {
        const id = await kit.session()
        const outcomes = await kit.parallel((store, n) =>
          store.commit(id, among(kit, { n, round, rotate: 'renew' })),
        )
        const { values } = await loadLive(kit.store, id)
        const refused = outcomes.filter((outcome) => typeof outcome === 'string').length
        demandEqual(
          [refused, values.size],
          [0, kit.writers.length],
          'the number of refused commits and of values after commits during a renewal',
        )
      })
    },
  },
  {
    id: 'S27',
    level: 'MUST',
    clause:
      'When a rotation is answered, the record with all its values is found under its id by every store, with the new generation: nothing has to follow.',
    title: 'a rotation is complete when it is answered',
    run: async (kit) => {
      await kit.race(async (round) => {
        const rotate = round % 2 === 0 ? 'renew' : 'fence'
        const id = await kit.session(kit.holding({ a: '1', b: '1' }))
        demandCommitted(
          await kit.store.commit(id, kit.setting({ b: '2' }, { rotate })),
          `a commit with ${rotate}`,
        )
        const { generation, values } = await loadLive(kit.other, id)
        demandEqual(
          [generation, values.get('a'), values.get('b')],
          [1, '1', '2'],
          `generation and values right after ${rotate}`,
        )
      })
    },
  },
]

function generationOf(outcome: CommitOutcome): number | string {
  return typeof outcome === 'string' ? outcome : outcome.generation
}
