import { demandCommitted, demandEqual, demandError, demandRecord, loadLive } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionChange } from '../../store.ts'

const NO_NUMBERS = [
  '',
  ' ',
  'abc',
  '"5"',
  '1.5',
  '1e3',
  '+5',
  '007',
  '-0',
  ' 5',
  '5 ',
  '0x10',
  'NaN',
  'Infinity',
  '[5]',
  'null',
  '9007199254740992',
  '-9007199254740992',
  '99999999999999999999',
]

/** Clauses on `add`: exact under concurrency, and refused as a whole where there is no number. */
export const numberChecks: readonly StoreCheck[] = [
  {
    id: 'S28',
    level: 'MUST',
    clause: 'Parallel `add`s of one name sum up exactly: none is lost, none counts twice.',
    title: 'parallel additions sum up exactly',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ n: '0' }))
      await kit.parallel(async (store) => {
        for (let round = 0; round < kit.rounds; round++) {
          demandCommitted(
            await store.commit(id, adding(kit, { n: 1, total: 3 })),
            'a commit that adds',
          )
        }
      })
      const all = kit.rounds * kit.writers.length
      const { values } = await loadLive(kit.store, id)
      demandEqual(
        [values.get('n'), values.get('total')],
        [`${all}`, `${all * 3}`],
        `the sums of ${all} parallel additions of 1 and of 3`,
      )
    },
  },
  {
    id: 'S28b',
    level: 'MUST',
    clause:
      'A missing value counts as 0; the sum is kept as plain decimal text and is in the answer under its name.',
    title: 'adding counts from zero and answers the sum',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ minus: '-7', max: '9007199254740990' }))
      const { added } = demandCommitted(
        await kit.store.commit(id, adding(kit, { fresh: 5, minus: 3, max: 1, zero: 0 })),
        'a commit that adds',
      )
      const wanted = { fresh: 5, minus: -4, max: 9_007_199_254_740_991, zero: 0 }
      demandEqual(new Map(added), new Map(Object.entries(wanted)), 'the numbers in the answer')
      const texts = Object.entries(wanted).map(([name, sum]) => [name, String(sum)] as const)
      demandEqual(
        new Map((await loadLive(kit.store, id)).values),
        new Map(texts),
        'the texts that are kept',
      )
    },
  },
  {
    id: 'S28c',
    level: 'MUST',
    clause:
      '`add` to a value that is not a safe integer in plain decimal text throws `ERR_SESSION_NOT_A_NUMBER`.',
    title: 'adding to what is no number is refused',
    run: async (kit) => {
      for (const text of NO_NUMBERS) {
        const record = kit.holding({ n: text })
        const id = await kit.session(record)
        const call = kit.store.commit(id, adding(kit, { n: 1 }))
        await demandError(call, ['ERR_SESSION_NOT_A_NUMBER'], `adding 1 to ${JSON.stringify(text)}`)
        await demandRecord(kit.store, id, record, `after adding 1 to ${JSON.stringify(text)}`)
      }
    },
  },
  {
    id: 'S28d',
    level: 'MUST',
    clause: 'A sum that is not a safe integer throws `ERR_SESSION_NOT_A_NUMBER`.',
    title: 'adding beyond the safe integers is refused',
    run: async (kit) => {
      for (const [text, by] of [
        ['9007199254740991', 1],
        ['-9007199254740991', -1],
        ['1', 9_007_199_254_740_991],
      ] as const) {
        const record = kit.holding({ n: text })
        const id = await kit.session(record)
        await demandError(
          kit.store.commit(id, adding(kit, { n: by })),
          ['ERR_SESSION_NOT_A_NUMBER'],
          `adding ${by} to ${text}`,
        )
        await demandRecord(kit.store, id, record, `after adding ${by} to ${text}`)
      }
    },
  },
  {
    id: 'S28e',
    level: 'MUST',
    clause:
      'A change whose `add` is refused is refused as a whole: no value, no other sum, no user, no generation and no deadline of it is kept.',
    title: 'a refused addition leaves nothing of its change',
    run: async (kit) => {
      const before = kit.holding({ a: '1', text: 'abc', n: '5' }, { user: 'alice' })
      const id = await kit.session(before)
      const half: Partial<SessionChange> = {
        set: new Map([
          ['a', '2'],
          ['b', '2'],
        ]),
        unset: ['n'],
        add: new Map([
          ['m', 1],
          ['text', 1],
          ['z', 1],
        ]),
      }
      for (const more of [
        {},
        {
          clear: false,
          user: 'mallory',
          rotate: 'fence',
          rememberFor: 5,
          deadline: before.deadline + 1,
        },
      ] as const) {
        const change = kit.change({ ...half, ...more, expiresAt: before.expiresAt + 60_000 })
        await demandError(
          kit.store.commit(id, change),
          ['ERR_SESSION_NOT_A_NUMBER'],
          'a commit that adds to a text',
        )
        await demandRecord(kit.other, id, before, 'after a commit that was refused')
      }
    },
  },
  {
    id: 'S28f',
    level: 'MUST',
    clause:
      'Whether there is a number is asked of the values as `clear`, `unset` and `set` of the same change leave them.',
    title: 'a change may replace a text by a number and add to it',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: 'abc', b: 'abc', n: '5' }))
      demandCommitted(
        await kit.store.commit(
          id,
          kit.setting(
            { a: '10' },
            {
              unset: ['b'],
              add: new Map([
                ['a', 1],
                ['b', 1],
              ]),
            },
          ),
        ),
        'a commit that replaces texts and adds to them',
      )
      const { values } = await loadLive(kit.store, id)
      demandEqual([values.get('a'), values.get('b')], ['11', '1'], 'the sums')
      const call = kit.store.commit(id, kit.setting({ n: 'abc' }, { add: new Map([['n', 1]]) }))
      await demandError(
        call,
        ['ERR_SESSION_NOT_A_NUMBER'],
        'a commit that sets a text and adds to it',
      )
      demandEqual(
        (await loadLive(kit.store, id)).values.get('n'),
        '5',
        'the value after a commit that was refused',
      )
    },
  },
  {
    id: 'S28g',
    level: 'MUST',
    clause:
      'A fenced-off commit is answered `stale` and a commit to no record `gone` before any `add` is looked at.',
    title: 'gone and stale come before not-a-number',
    run: async (kit) => {
      const fenced = await kit.session(kit.holding({ text: 'abc' }, { generation: 1, fence: 1 }))
      demandEqual(
        await kit.store.commit(fenced, adding(kit, { text: 1 })),
        'stale',
        'the answer of a fenced-off commit that adds to a text',
      )
      demandEqual(
        await kit.store.commit(kit.id(), adding(kit, { text: 1 })),
        'gone',
        'the answer of a commit that adds under an unknown id',
      )
    },
  },
]

function adding(kit: StoreHarness, sums: Readonly<Record<string, number>>): SessionChange {
  return kit.change({ add: new Map(Object.entries(sums)) })
}
