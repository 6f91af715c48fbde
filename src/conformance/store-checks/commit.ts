import { demand, demandCommitted, demandEqual, demandRecord, loadLive } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionChange } from '../../store.ts'

/** Clauses on `commit`: what it writes, in which order, and what parallel writers find afterwards. */
export const commitChecks: readonly StoreCheck[] = [
  {
    id: 'S5',
    level: 'MUST',
    clause:
      '`commit` sets, overwrites and unsets the values of the change and leaves every other value and field as it is.',
    title: 'a commit writes what changed and nothing else',
    run: async (kit) => {
      const before = kit.holding(
        { keep: 'k', over: '1', drop: 'd' },
        { user: 'alice', rememberFor: 5000, client: { address: '::1' } },
      )
      const id = await kit.session(before)
      const change = kit.setting(
        { over: '2', fresh: 'f' },
        { unset: ['drop', 'never-there'], expiresAt: before.expiresAt },
      )
      demandCommitted(await kit.store.commit(id, change), 'a commit')
      const values = new Map([
        ['keep', 'k'],
        ['over', '2'],
        ['fresh', 'f'],
      ])
      await demandRecord(kit.other, id, { ...before, values }, 'after a commit')
    },
  },
  {
    id: 'S5b',
    level: 'MUST',
    clause:
      'A change is applied in the order `clear`, `unset`, `set`, `add`, whatever names they share.',
    title: 'clear, unset, set and add are applied in that order',
    run: async (kit) => {
      await demandValues(kit, {
        change: { clear: true, unset: ['a'], set: new Map([['a', '2']]) },
        values: { a: '2' },
      })
      await demandValues(kit, {
        change: { unset: ['a'], set: new Map([['a', '3']]) },
        values: { a: '3', n: '5' },
      })
      await demandValues(kit, {
        change: { set: new Map([['n', '10']]), add: new Map([['n', 7]]) },
        values: { a: '1', n: '17' },
      })
      await demandValues(kit, {
        change: { unset: ['n'], add: new Map([['n', 7]]) },
        values: { a: '1', n: '7' },
      })
      await demandValues(kit, {
        change: { clear: true, add: new Map([['n', 7]]) },
        values: { n: '7' },
      })
    },
  },
  {
    id: 'S5c',
    level: 'MUST',
    clause:
      '`clear` drops every value of the record as it is at that moment, also those that other requests set meanwhile.',
    title: 'clear also drops what others set meanwhile',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }))
      const change = kit.setting({ c: '3' }, { clear: true })
      await kit.other.commit(id, kit.setting({ b: '2' }))
      demandCommitted(await kit.store.commit(id, change), 'a commit with clear')
      demandEqual(
        [...(await loadLive(kit.store, id)).values],
        [['c', '3']],
        'what was kept after clear',
      )
    },
  },
  {
    id: 'S5d',
    level: 'MUST',
    clause:
      'The answer of a commit names the generation, the idle deadline, the deadline and the new numbers as a load finds them.',
    title: 'the answer of a commit agrees with the record',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ n: '5' }, { generation: 2, fence: 1 }))
      const change = kit.change({
        generation: 2,
        expiresAt: kit.now() + 7_200_000,
        add: new Map([
          ['n', 2],
          ['m', -3],
        ]),
        rotate: 'renew',
      })
      const { added, ...times } = demandCommitted(await kit.store.commit(id, change), 'a commit')
      const { generation, expiresAt, deadline, values } = await loadLive(kit.other, id)
      demandEqual(
        { generation: times.generation, expiresAt: times.expiresAt, deadline: times.deadline },
        { generation, expiresAt, deadline },
        'the answer',
      )
      demandEqual(
        new Map(added),
        new Map([
          ['n', 7],
          ['m', -3],
        ]),
        'the numbers in the answer',
      )
      demandEqual([values.get('n'), values.get('m')], ['7', '-3'], 'the numbers in the record')
    },
  },
  {
    id: 'S5e',
    level: 'MUST',
    clause:
      "A change that sets nothing is applied like any other: it answers the record's state and moves nothing but the idle deadline.",
    title: 'an empty commit is a commit',
    run: async (kit) => {
      const before = kit.holding({ a: '1' }, { user: 'alice' })
      const id = await kit.session(before)
      const answer = demandCommitted(
        await kit.store.commit(id, kit.change({ expiresAt: before.expiresAt })),
        'an empty commit',
      )
      demandEqual([answer.generation, answer.added.size], [0, 0], 'the answer of an empty commit')
      await demandRecord(kit.store, id, before, 'after an empty commit')
    },
  },
  {
    id: 'S5f',
    level: 'MUST',
    clause: 'A commit is one atomic step: no load finds a part of it.',
    title: 'a reader never finds half of a commit',
    run: async (kit) => {
      await kit.race(async (round) => {
        const id = await kit.session(kit.holding(eight('start')))
        const seen = await kit.parallel((store, n) =>
          n % 2 === 0 ? write(kit, { store, id, text: `${round}.${n}` }) : tornLoads(store, id),
        )
        const torn = seen.reduce((sum, count) => sum + count, 0)
        demand(torn === 0, `${torn} loads found a mixture of two commits`)
        demandEqual(
          new Set((await loadLive(kit.store, id)).values.values()).size,
          1,
          'the number of commits in the final record',
        )
      })
    },
  },
  {
    id: 'S6',
    level: 'MUST',
    clause: 'Parallel commits of different names all hold: no acknowledged value is lost.',
    title: 'parallel writers of different names lose nothing',
    run: async (kit) => {
      let lost = 0
      await kit.race(async () => {
        const id = await kit.session()
        await kit.parallel(async (store, n) => {
          demandCommitted(
            await store.commit(id, kit.setting({ [`key${n}`]: `${n}` })),
            'a commit among parallel ones',
          )
        })
        const { values } = await loadLive(kit.store, id)
        lost += kit.writers.filter((_, n) => values.get(`key${n}`) !== `${n}`).length
      })
      demand(
        lost === 0,
        `${lost} of ${kit.rounds * kit.writers.length} acknowledged values were lost to parallel writers`,
      )
    },
  },
  {
    id: 'S6b',
    level: 'MUST',
    clause: 'Parallel commits that set, unset and add under different names all hold.',
    title: "parallel sets, unsets and adds keep each other's effects",
    run: async (kit) => {
      await kit.race(async () => {
        const start = Object.fromEntries(kit.writers.map((_, n) => [`key${n}`, '1']))
        const id = await kit.session(kit.holding(start))
        await kit.parallel((store, n) => store.commit(id, kit.change(oneOfThree(n))))
        const wanted = kit.writers.map((_, n) => [undefined, '2', '11'][n % 3])
        const { values } = await loadLive(kit.store, id)
        demandEqual(
          kit.writers.map((_, n) => values.get(`key${n}`)),
          wanted,
          'the values after parallel unsets, sets and adds',
        )
      })
    },
  },
  {
    id: 'S7',
    level: 'MUST',
    clause: 'After parallel commits of one name its value is one of those written, whole.',
    title: 'parallel writers of one name leave one whole value',
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session()
        const text = (n: number): string => String.fromCodePoint(97 + (n % 26)).repeat(2000)
        await kit.parallel((store, n) => store.commit(id, kit.setting({ same: text(n) })))
        const final = (await loadLive(kit.store, id)).values.get('same')
        demand(
          kit.writers.some((_, n) => text(n) === final),
          'the value after parallel writes is none of those written',
        )
      })
    },
  },
  {
    id: 'S8',
    level: 'MUST',
    clause:
      'Of two requests that were opened on the same record, an unset in one and a set of another name in the other both hold.',
    title: 'an unset and a set of two requests both hold',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1', b: '1' }))
      await kit.store.load(id)
      await kit.other.load(id)
      await kit.store.commit(id, kit.change({ unset: ['a'] }))
      await kit.other.commit(id, kit.setting({ b: '2' }))
      demandEqual([...(await loadLive(kit.store, id)).values], [['b', '2']], 'what was kept')
    },
  },
]

interface Order {
  readonly change: Partial<SessionChange>
  readonly values: Readonly<Record<string, string>>
}

async function demandValues(kit: StoreHarness, { change, values }: Order): Promise<void> {
  const id = await kit.session(kit.holding({ a: '1', n: '5' }))
  demandCommitted(await kit.store.commit(id, kit.change(change)), 'a commit')
  const kept = (await loadLive(kit.store, id)).values
  demandEqual(
    new Map(kept),
    new Map(Object.entries(values)),
    `what was kept of { a: 1, n: 5 } after ${Object.keys(change).join(', ')}`,
  )
}

function eight(text: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`part${n}`, text]))
}

interface Writing {
  readonly store: StoreHarness['store']
  readonly id: Parameters<StoreHarness['store']['load']>[0]
  readonly text: string
}

async function write(kit: StoreHarness, { store, id, text }: Writing): Promise<number> {
  await store.commit(id, kit.setting(eight(text)))
  return 0
}

/** Loads a few times, and counts how often there were values of more than one commit. */
async function tornLoads(store: Writing['store'], id: Writing['id']): Promise<number> {
  let torn = 0
  for (let loads = 0; loads < 5; loads++) {
    const record = await store.load(id)
    if (new Set(record?.values.values()).size !== 1) torn++
  }
  return torn
}

function oneOfThree(n: number): Partial<SessionChange> {
  const name = `key${n}`
  if (n % 3 === 0) return { unset: [name] }
  return n % 3 === 1 ? { set: new Map([[name, '2']]) } : { add: new Map([[name, 10]]) }
}
