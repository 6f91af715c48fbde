import { demand, demandAbsent, demandEqual, demandRecord, loadLive } from '../expect.ts'
import type { StoreCheck } from '../harness.ts'

/** Clauses on absence, on `create` and on what `load` gives back. */
export const createChecks: readonly StoreCheck[] = [
  {
    id: 'S1',
    level: 'MUST',
    clause: '`load` of an id that was never created is `undefined` and creates nothing.',
    title: 'loading an unknown id finds nothing and creates nothing',
    run: async (kit) => {
      const id = kit.id()
      await demandAbsent(kit.store, id, 'under an id that was never created')
      const touched = await kit.store.load(id, kit.touch(kit.now() + 60_000))
      demand(
        touched === undefined,
        'load with a touch found a record under an id that was never created',
      )
      await demandAbsent(kit.other, id, 'after two loads of an id that was never created')
      demand(
        await kit.store.create(id, kit.record()),
        'create found the id taken after it was only loaded',
      )
    },
  },
  {
    id: 'S1b',
    level: 'MUST',
    clause:
      'Only `create` makes a record: under an unknown id `commit` and `swap` answer `gone`, `take` answers `undefined`, `destroy` answers `false`, and nothing is written.',
    title: 'no verb but create makes a record',
    run: async (kit) => {
      const id = kit.id()
      demandEqual(
        await kit.store.commit(id, kit.setting({ a: '1' })),
        'gone',
        'the answer of commit',
      )
      demandEqual(
        await kit.store.commit(id, kit.change({ add: new Map([['n', 1]]) })),
        'gone',
        'the answer of commit with add',
      )
      demandEqual(await kit.store.swap(id, 'a', undefined, '1'), 'gone', 'the answer of swap')
      demandEqual(await kit.store.take(id, 'a'), undefined, 'the answer of take')
      demandEqual(await kit.store.destroy(id), false, 'the answer of destroy')
      await demandAbsent(kit.store, id, 'though no create was called')
    },
  },
  {
    id: 'S2',
    level: 'MUST',
    clause: '`load` gives back every field of the record as `create` was given it.',
    title: 'every field comes back as it was kept',
    run: async (kit) => {
      const now = kit.now()
      const record = kit.holding(
        { name: '"Zoë 😀"', n: '41', empty: '' },
        {
          ...{ createdAt: now - 5, renewedAt: now - 3, generation: 3, fence: 2 },
          ...{ user: 'user:{1}', authenticatedAt: now - 2, rememberFor: 1_234_567 },
          client: { userAgent: 'Browser/1.0 (ü)', address: '2001:db8::1' },
        },
      )
      const id = kit.id()
      demandEqual(await kit.store.create(id, record), true, 'the answer of create')
      await demandRecord(kit.store, id, record, 'after create')
    },
  },
  {
    id: 'S2b',
    level: 'MUST',
    clause: 'Optional fields that `create` was not given are absent from what `load` gives back.',
    title: 'absent fields stay absent',
    run: async (kit) => {
      const bare = kit.holding({ a: '1' })
      await demandRecord(
        kit.store,
        await kit.session(bare),
        bare,
        'after create without optional fields',
      )
      const half = kit.holding({ a: '1' }, { client: { address: '127.0.0.1' } })
      await demandRecord(
        kit.store,
        await kit.session(half),
        half,
        'after create with half a client',
      )
    },
  },
  {
    id: 'S2c',
    level: 'MUST',
    clause:
      'What one store has acknowledged, every other store over the same engine finds, as far as `shared` reaches.',
    title: 'another store over the same engine finds the same',
    needs: ['shared'],
    run: async (kit) => {
      const record = kit.holding({ a: '1' }, { user: 'alice' })
      const id = await kit.session(record)
      await demandRecord(kit.other, id, record, 'in a second store over the engine')
      await kit.other.commit(id, kit.setting({ a: '2' }))
      demandEqual(
        (await loadLive(kit.store, id)).values.get('a'),
        '2',
        'a value that the second store had set',
      )
      await kit.other.destroy(id)
      await demandAbsent(kit.store, id, 'after the second store destroyed it')
    },
  },
  {
    id: 'S3',
    level: 'MUST',
    clause: '`create` under the id of a live record answers `false` and changes nothing.',
    title: 'creating over a live session is refused',
    run: async (kit) => {
      const first = kit.holding({ a: '1' }, { user: 'alice', rememberFor: 1000 })
      const id = await kit.session(first)
      const second = kit.holding({ a: '2', b: '2' }, { generation: 9, user: 'mallory' })
      demandEqual(
        await kit.other.create(id, second),
        false,
        'the answer of create under a taken id',
      )
      await demandRecord(kit.store, id, first, 'after a refused create')
    },
  },
  {
    id: 'S4',
    level: 'MUST',
    clause:
      'Of parallel `create` calls of one id exactly one answers `true`, and its record is the one that is kept, whole.',
    title: 'parallel creates of one id have one winner',
    run: async (kit) => {
      await kit.race(async () => {
        const id = kit.id()
        const records = kit.writers.map((_, n) =>
          kit.holding({ [`by${n}`]: `${n}`, all: `${n}` }, { user: `user${n}` }),
        )
        const answers = await kit.parallel((store, n) =>
          store.create(id, records[n] ?? kit.record()),
        )
        const winners = answers.flatMap((won, n) => (won ? [n] : []))
        demand(
          winners.length === 1,
          `${winners.length} of ${answers.length} parallel creates of one id answered true`,
        )
        await demandRecord(
          kit.store,
          id,
          records[winners[0] ?? 0] ?? kit.record(),
          'after parallel creates',
        )
      })
    },
  },
  {
    id: 'S10',
    level: 'MUST',
    clause:
      'A store keeps copies: what the caller does afterwards to a record, a change or a Map that it gave or got does not change what is kept.',
    title: 'no live object is shared with the caller',
    run: async (kit) => {
      const values = new Map([['a', '1']])
      const record = { ...kit.record(), user: 'alice', values }
      const id = await kit.session(record)
      values.set('a', 'changed').set('b', 'added')
      record.user = 'mallory'
      const loaded = await loadLive(kit.store, id)
      demandEqual(
        [loaded.user, [...loaded.values]],
        ['alice', [['a', '1']]],
        'the record after its creator changed its own copy',
      )
      const set = new Map([['a', '2']])
      await kit.store.commit(id, kit.change({ set }))
      set.set('a', 'changed')
      const raw = await kit.store.load(id)
      if (raw?.values instanceof Map)
        tryTo(() => (raw.values as Map<string, string>).set('a', 'written into'))
      demandEqual(
        [...(await loadLive(kit.store, id)).values],
        [['a', '2']],
        'the values after a caller changed its own copies',
      )
    },
  },
  {
    id: 'S41',
    level: 'MUST',
    clause: 'A record without values is a live record.',
    title: 'a session without values is present',
    run: async (kit) => {
      const empty = kit.record()
      const id = await kit.session(empty)
      await demandRecord(kit.store, id, empty, 'that was created without values')
      demandEqual(
        await kit.store.create(id, kit.record()),
        false,
        'the answer of create over a record without values',
      )
      await kit.store.commit(id, kit.setting({ a: '1' }))
      await kit.store.commit(id, kit.change({ unset: ['a'] }))
      demandEqual(
        (await loadLive(kit.store, id, 'after its last value was unset')).values.size,
        0,
        'the number of values',
      )
      demandEqual(
        await kit.store.destroy(id),
        true,
        'the answer of destroy of a record without values',
      )
    },
  },
]

/** A frozen copy may throw: then nothing was shared either. */
function tryTo(step: () => unknown): void {
  try {
    step()
  } catch {
    return
  }
}
