import { demand, demandEqual, demandRecord, loadLive } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId, SessionStore } from '../../store.ts'

/** Clauses on the verbs of one value: `swap`, the compare-and-set, and `take`, exactly once. */
export const singleValueChecks: readonly StoreCheck[] = [
  {
    id: 'S29',
    level: 'MUST',
    clause:
      'Read, then `swap`, tried again when it answers `false`, counts exactly under any concurrency.',
    title: 'a counter made of swap is exact',
    run: async (kit) => {
      const each = Math.max(1, Math.ceil(kit.rounds / 10))
      const id = await kit.session(kit.holding({ n: '0' }))
      await kit.parallel(async (store) => {
        for (let round = 0; round < each; round++) await countUp(store, id)
      })
      const all = each * kit.writers.length
      demandEqual(
        (await loadLive(kit.store, id)).values.get('n'),
        `${all}`,
        `the count after ${all} parallel swaps that answered true`,
      )
    },
  },
  {
    id: 'S29b',
    level: 'MUST',
    clause:
      '`swap` answers `true` and replaces the value if it is `before`; otherwise it answers `false` and changes nothing.',
    title: 'swap replaces only what it expects',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }))
      demandEqual(
        await kit.store.swap(id, 'a', '0', '2'),
        false,
        'the answer of swap with another value before',
      )
      demandEqual(
        await kit.store.swap(id, 'a', undefined, '2'),
        false,
        'the answer of swap that expects absence where there is a value',
      )
      demandEqual(
        await kit.store.swap(id, 'a', '1 ', '2'),
        false,
        'the answer of swap with a longer value before',
      )
      demandEqual(
        await valueOf(kit, { id, name: 'a' }),
        '1',
        'the value after swaps that answered false',
      )
      demandEqual(
        await kit.store.swap(id, 'a', '1', '2'),
        true,
        'the answer of swap with the value before',
      )
      demandEqual(await valueOf(kit, { id, name: 'a' }), '2', 'the value after swap')
    },
  },
  {
    id: 'S29c',
    level: 'MUST',
    clause:
      'In `swap`, `undefined` stands for absence on both sides: as `before` it expects none, as `after` it removes. An empty text is a value.',
    title: 'swap knows absence from an empty text',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ empty: '' }))
      demandEqual(
        await kit.store.swap(id, 'a', undefined, '1'),
        true,
        'the answer of swap from absence',
      )
      demandEqual(
        await kit.store.swap(id, 'b', '', '1'),
        false,
        'the answer of swap that expects an empty text where there is nothing',
      )
      demandEqual(
        await kit.store.swap(id, 'empty', undefined, '1'),
        false,
        'the answer of swap that expects absence where there is an empty text',
      )
      demandEqual(
        await kit.store.swap(id, 'a', '1', undefined),
        true,
        'the answer of swap to absence',
      )
      demandEqual(
        await kit.store.swap(id, 'c', undefined, undefined),
        true,
        'the answer of swap from absence to absence',
      )
      demandEqual([...(await loadLive(kit.store, id)).values], [['empty', '']], 'what was kept')
    },
  },
  {
    id: 'S29d',
    level: 'MUST',
    clause:
      'Of parallel swaps with the same `before` exactly one answers `true`, and its value is kept.',
    title: 'parallel swaps have one winner',
    run: async (kit) => {
      await kit.race(async (round) => {
        const start = round % 2 === 0 ? 'start' : undefined
        const id = await kit.session(kit.holding(start === undefined ? {} : { a: start }))
        const answers = await kit.parallel((store, n) => store.swap(id, 'a', start, `${n}`, 0))
        const winners = answers.flatMap((answer, n) => (answer === true ? [`${n}`] : []))
        demand(
          winners.length === 1,
          `${winners.length} of ${answers.length} parallel swaps of one value answered true`,
        )
        demandEqual(
          await valueOf(kit, { id, name: 'a' }),
          winners[0],
          'the value after parallel swaps',
        )
      })
    },
  },
  {
    id: 'S29e',
    level: 'MUST',
    clause:
      'Parallel swaps of different names do not disturb each other, nor parallel commits of other names.',
    title: 'swaps of different names do not conflict',
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session()
        const answers = await kit.parallel(async (store, n) => {
          if (n % 2 === 0) return store.swap(id, `key${n}`, undefined, '1')
          return typeof (await store.commit(id, kit.setting({ [`key${n}`]: '1' }))) === 'object'
        })
        demand(
          answers.every((answer) => answer === true),
          'a swap of a name that nobody else wrote was refused',
        )
        demandEqual(
          (await loadLive(kit.store, id)).values.size,
          kit.writers.length,
          'the number of values',
        )
      })
    },
  },
  {
    id: 'S29f',
    level: 'MUST',
    clause:
      '`swap` and `take` change nothing but the one value: no other value, no deadline, no generation.',
    title: 'swap and take change nothing but their value',
    run: async (kit) => {
      const before = kit.holding(
        { a: '1', b: '1', c: '1' },
        { user: 'alice', generation: 2, fence: 1, rememberFor: 5000 },
      )
      const id = await kit.session(before)
      await kit.store.swap(id, 'a', '1', '2', 2)
      await kit.store.take(id, 'b', 2)
      await demandRecord(
        kit.other,
        id,
        {
          ...before,
          values: new Map([
            ['a', '2'],
            ['c', '1'],
          ]),
        },
        'after a swap and a take',
      )
    },
  },
  {
    id: 'S30',
    level: 'MUST',
    clause: 'Of any number of parallel `take`s of one value exactly one gets it.',
    title: 'a value is taken exactly once',
    run: async (kit) => {
      const counts = new Set<number>()
      await kit.race(async (round) => {
        const id = await kit.session(kit.holding({ note: `note ${round}`, keep: '1' }))
        const taken = await kit.parallel((store) => store.take(id, 'note', 0))
        counts.add(taken.filter((text) => text === `note ${round}`).length)
        demandEqual(
          [...(await loadLive(kit.store, id)).values.keys()],
          ['keep'],
          'the names after take',
        )
      })
      demandEqual(counts, new Set([1]), 'how many of the parallel takes got the value')
    },
  },
  {
    id: 'S30b',
    level: 'MUST',
    clause:
      '`take` of a missing value answers `undefined`, also the second time; an empty text is taken like any other.',
    title: 'there is nothing to take twice',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1', empty: '' }))
      demandEqual(
        await kit.store.take(id, 'never-there'),
        undefined,
        'the answer of take of a missing value',
      )
      demandEqual(await kit.store.take(id, 'a'), '1', 'the answer of take')
      demandEqual(await kit.other.take(id, 'a'), undefined, 'the answer of a second take')
      demandEqual(await kit.store.take(id, 'empty'), '', 'the answer of take of an empty text')
      demandEqual(
        (await loadLive(kit.store, id, 'after its last value was taken')).values.size,
        0,
        'the number of values left',
      )
    },
  },
  {
    id: 'S30c',
    level: 'MUST',
    clause: 'Parallel takes and commits of other names do not disturb each other.',
    title: 'taking loses nothing that others write',
    run: async (kit) => {
      await kit.race(async () => {
        const names = kit.writers.map((_, n) => `key${n}`)
        const id = await kit.session(
          kit.holding(Object.fromEntries(names.map((name) => [name, '1']))),
        )
        const taken = await kit.parallel(async (store, n) => {
          if (n % 2 === 0) return store.take(id, `key${n}`)
          await store.commit(id, kit.setting({ [`key${n}`]: '2' }))
          return undefined
        })
        const { values } = await loadLive(kit.store, id)
        const kept = names.map((name) => values.get(name))
        demandEqual(
          [taken, kept],
          [
            names.map((_, n) => (n % 2 === 0 ? '1' : undefined)),
            names.map((_, n) => (n % 2 === 0 ? undefined : '2')),
          ],
          'what was taken and what was kept',
        )
      })
    },
  },
  {
    id: 'S31',
    level: 'MUST',
    clause: '`take` of one value leaves the others.',
    title: 'taking one notification leaves the other',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ first: '1', second: '2' }))
      demandEqual(await kit.store.take(id, 'first'), '1', 'the answer of take')
      demandEqual([...(await loadLive(kit.other, id)).values], [['second', '2']], 'what was left')
      demandEqual(await kit.other.take(id, 'second'), '2', 'the answer of take of the other')
    },
  },
]

async function countUp(store: SessionStore, id: SessionId): Promise<void> {
  for (let tries = 0; tries < 10_000; tries++) {
    const before = (await store.load(id))?.values.get('n')
    demand(before !== undefined, 'load did not find the counter')
    if ((await store.swap(id, 'n', before, String(Number(before) + 1), 0)) === true) return
  }
  demand(false, 'swap answered false 10000 times in a row')
}

async function valueOf(
  kit: StoreHarness,
  { id, name }: { id: SessionId; name: string },
): Promise<string | undefined> {
  return (await loadLive(kit.other, id)).values.get(name)
}
