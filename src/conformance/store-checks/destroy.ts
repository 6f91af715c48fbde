import { Breach } from '../check.ts'
import { demand, demandAbsent, demandEqual, loadLive, show } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId, SessionStore } from '../../store.ts'

/** Clauses on `destroy`: it is final, whatever is under way, and leaves nothing behind. */
export const destroyChecks: readonly StoreCheck[] = [
  {
    id: 'S11',
    level: 'MUST',
    clause:
      'A commit that meets a `destroy` is either applied before it or answered `gone`; once `destroy` has resolved no load finds the session.',
    title: 'a late commit never revives a destroyed session',
    run: (kit) =>
      raceWithDestroy(kit, (store, id, n) =>
        store.commit(id, kit.setting({ [`key${n}`]: 'late' })),
      ),
  },
  {
    id: 'S11b',
    level: 'MUST',
    clause:
      'After `destroy`, `commit` answers `gone` and writes nothing, whatever the change asks for.',
    title: 'a commit after destroy is answered gone',
    run: async (kit) => {
      const id = await destroyed(kit)
      const login = kit.setting(
        { a: '2' },
        { user: 'alice', rotate: 'fence', deadline: kit.now() + 90_000, clear: true },
      )
      demandEqual(
        await kit.store.commit(id, kit.setting({ a: '2' })),
        'gone',
        'the answer of a commit after destroy',
      )
      demandEqual(await kit.other.commit(id, login), 'gone', 'the answer of a login after destroy')
      await demandAbsent(kit.store, id, 'after a commit to a destroyed session')
    },
  },
  {
    id: 'S12',
    level: 'MUST',
    clause: 'A load with a touch that meets a `destroy` does not bring the session back.',
    title: 'a late touch never revives a destroyed session',
    run: (kit) =>
      raceWithDestroy(kit, (store, id) => store.load(id, kit.touch(kit.now() + 7_200_000))),
  },
  {
    id: 'S13',
    level: 'MUST',
    clause:
      'A rotation, an add, a swap or a take that meets a `destroy` does not bring the session back.',
    title: 'a late rotation, add, swap or take never revives a destroyed session',
    run: (kit) => raceWithDestroy(kit, (store, id, n) => lateStep(kit, { store, id, n })),
  },
  {
    id: 'S13b',
    level: 'MUST',
    clause:
      'After `destroy`, rotations and adds answer `gone`, `swap` answers `gone`, `take` and a load with a touch answer `undefined`; nothing is written.',
    title: 'every verb after destroy says that the session is gone',
    run: async (kit) => {
      const id = await destroyed(kit)
      demandEqual(
        await kit.store.commit(id, kit.change({ rotate: 'renew' })),
        'gone',
        'the answer of a renewal after destroy',
      )
      demandEqual(
        await kit.store.commit(id, kit.change({ add: new Map([['n', 1]]) })),
        'gone',
        'the answer of an add after destroy',
      )
      demandEqual(
        await kit.store.swap(id, 'a', '1', '2'),
        'gone',
        'the answer of swap after destroy',
      )
      demandEqual(await kit.store.take(id, 'a'), undefined, 'the answer of take after destroy')
      demandEqual(
        await kit.store.load(id, kit.touch(kit.now() + 7_200_000)),
        undefined,
        'the answer of a touch after destroy',
      )
      await demandAbsent(kit.other, id, 'after late calls to a destroyed session')
    },
  },
  {
    id: 'S14',
    level: 'MUST',
    clause: 'Nothing that is sent to a destroyed session is kept, under its id or any other.',
    title: 'late writes are kept nowhere',
    needs: ['dump'],
    run: async (kit) => {
      const id = await destroyed(kit)
      const mark = `mark${kit.id()}`
      await kit.store.commit(id, kit.setting({ a: mark }, { user: mark }))
      await kit.store.commit(id, kit.setting({ [mark]: '1' }, { rotate: 'fence' }))
      await kit.store.swap(id, 'a', undefined, mark)
      demand(
        !(await dump(kit)).includes(mark),
        'what late calls sent to a destroyed session is in the engine',
      )
    },
  },
  {
    id: 'S15',
    level: 'MUST',
    clause:
      '`destroy` answers `true` if it removed a live record and `false` if there was none; destroying twice is no error.',
    title: 'destroying is idempotent and says whether there was a session',
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }))
      demandEqual(await kit.store.destroy(id), true, 'the answer of destroy')
      demandEqual(await kit.other.destroy(id), false, 'the answer of a second destroy')
      demandEqual(
        await kit.store.destroy(kit.id()),
        false,
        'the answer of destroy of an unknown id',
      )
    },
  },
  {
    id: 'S15b',
    level: 'MUST',
    clause: 'Of parallel `destroy` calls of one session exactly one answers `true`.',
    title: 'parallel destroys have one that did it',
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session(kit.holding({ a: '1' }))
        const answers = await kit.parallel((store) => store.destroy(id))
        demandEqual(
          answers.filter(Boolean).length,
          1,
          'the number of parallel destroys that answered true',
        )
      })
    },
  },
  {
    id: 'S15c',
    level: 'MUST',
    clause: 'A record that is created under the id of a destroyed one has nothing of it.',
    title: 'a session created after destroy inherits nothing',
    run: async (kit) => {
      const id = await destroyed(kit)
      demandEqual(
        await kit.store.create(id, kit.holding({ b: '2' })),
        true,
        'the answer of create after destroy',
      )
      const { user, generation, values } = await loadLive(kit.other, id)
      demandEqual(
        [user, generation, [...values]],
        [undefined, 0, [['b', '2']]],
        'user, generation and values of the new record',
      )
    },
  },
  {
    id: 'S16',
    level: 'MUST',
    clause:
      'After `destroy` has resolved, nothing of the record can be read from the engine: no value, no name, no user.',
    title: 'nothing of a destroyed session is left in the engine',
    needs: ['dump'],
    run: async (kit) => {
      const mark = `mark${kit.id()}`
      const id = await kit.session(
        kit.holding(
          { [`name-${mark}`]: `value-${mark}` },
          { user: `user-${mark}`, client: { userAgent: `agent-${mark}` } },
        ),
      )
      demand(
        (await dump(kit)).includes(mark),
        'the dump shows nothing of a live record: it looks in the wrong place',
      )
      await kit.store.commit(id, kit.setting({ [`more-${mark}`]: mark }, { user: `other-${mark}` }))
      await kit.store.destroy(id)
      const left = await dump(kit)
      demand(!left.includes(mark), `a destroyed session left ${around(left, mark)} in the engine`)
    },
  },
  {
    id: 'S16b',
    level: 'MUST',
    clause: 'A value that was unset, taken or cleared cannot be read from the engine any more.',
    title: 'removed values are removed from the engine',
    needs: ['dump'],
    run: async (kit) => {
      const mark = `mark${kit.id()}`
      const id = await kit.session(kit.holding({ a: mark, b: mark, c: mark }))
      await kit.store.commit(id, kit.change({ unset: ['a'] }))
      await kit.store.take(id, 'b')
      await kit.store.commit(id, kit.change({ clear: true }))
      demand(!(await dump(kit)).includes(mark), 'a removed value can still be read from the engine')
    },
  },
  {
    id: 'S22',
    level: 'MUST',
    clause:
      'Every key or row that a store makes for a session expires by itself or is found by `deleteExpired`.',
    title: 'nothing that is kept stays for ever',
    needs: ['immortal'],
    run: async (kit) => {
      const soon = kit.now() + 60_000
      const id = await kit.session(kit.holding({ a: '1' }, { user: 'alice', expiresAt: soon }))
      await kit.store.load(id, kit.touch(soon + 1000))
      await kit.store.commit(
        id,
        kit.setting({ b: '2' }, { rotate: 'renew', add: new Map([['n', 1]]) }),
      )
      await kit.store.commit(
        id,
        kit.change({ generation: 1, rotate: 'fence', user: 'bob', rememberFor: 5000 }),
      )
      await kit.store.swap(id, 'a', '1', '2')
      await kit.store.take(id, 'b')
      demandEqual(
        await kit.engine.immortal?.(),
        [],
        'the list of keys or rows that nothing will ever remove',
      )
    },
  },
]

interface Step {
  readonly store: SessionStore
  readonly id: SessionId
  readonly n: number
}

async function raceWithDestroy(
  kit: StoreHarness,
  step: (store: SessionStore, id: SessionId, n: number) => Promise<unknown>,
): Promise<void> {
  let revived = 0
  await kit.race(async (round) => {
    const id = await kit.session(kit.holding({ a: '1', n: '1' }))
    const destroyer = round % kit.writers.length
    const answers = await kit.parallel((store, n) =>
      n === destroyer ? store.destroy(id) : step(store, id, n),
    )
    demandEqual(answers[destroyer], true, 'the answer of a destroy among parallel calls')
    if ((await kit.store.load(id)) !== undefined) revived++
    const after = await step(kit.other, id, 0)
    if (after !== 'gone' && after !== undefined)
      throw new Breach(`a call after destroy was answered ${show(after)}`)
    if ((await kit.other.load(id)) !== undefined) revived++
  })
  demand(
    revived === 0,
    `${revived} times in ${kit.rounds} races a load found a session whose destroy had resolved`,
  )
}

function lateStep(kit: StoreHarness, { store, id, n }: Step): Promise<unknown> {
  if (n % 5 === 0) return store.commit(id, kit.change({ rotate: 'renew' }))
  if (n % 5 === 1) return store.commit(id, kit.change({ add: new Map([['n', 1]]) }))
  if (n % 5 === 2) return store.swap(id, 'a', '1', '2')
  if (n % 5 === 3) return store.take(id, 'a')
  return store.commit(id, kit.change({ rotate: 'fence', user: 'alice' }))
}

async function destroyed(kit: StoreHarness): Promise<SessionId> {
  const id = await kit.session(kit.holding({ a: '1', n: '5' }, { user: 'alice', generation: 1 }))
  await kit.store.destroy(id)
  return id
}

async function dump(kit: StoreHarness): Promise<string> {
  return (await kit.engine.dump?.()) ?? ''
}

function around(text: string, mark: string): string {
  const at = text.indexOf(mark)
  return show(text.slice(Math.max(0, at - 40), at + 20))
}
