import { demandAbsent, demandCommitted, demandEqual, demandRecord, loadLive } from '../expect.ts'
import { expiring } from '../expiring.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId } from '../../store.ts'

/** Clauses on the end of time: an expired record does not exist, for any verb. */
export const expiryChecks: readonly StoreCheck[] = [
  {
    id: 'S17',
    level: 'MUST',
    clause:
      'From its idle deadline on a record is not found, whether or not the engine has removed it.',
    title: 'a session whose idle deadline has passed is not found',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        const expiresAt = kit.now() + span
        const id = kit.id()
        await before(expiresAt, async () => {
          await kit.store.create(id, kit.holding({ a: '1' }, { expiresAt }))
          await loadLive(kit.other, id, 'before its idle deadline')
        })
        await kit.after(expiresAt)
        await demandAbsent(kit.store, id, 'after its idle deadline')
        await demandAbsent(kit.other, id, 'after its idle deadline')
      })
    },
  },
  {
    id: 'S17b',
    level: 'MUST',
    clause:
      'Under the id of an expired record `commit` and `swap` answer `gone`, `take` answers `undefined`, and none of them, nor a touch, brings it back.',
    title: 'no verb revives an expired session',
    run: async (kit) => {
      const id = await expired(kit)
      const late = kit.now() + 60_000
      demandEqual(
        await kit.store.commit(id, kit.setting({ a: '2' }, { deadline: late })),
        'gone',
        'the answer of a commit to an expired session',
      )
      demandEqual(
        await kit.store.swap(id, 'a', '1', '2'),
        'gone',
        'the answer of swap in an expired session',
      )
      demandEqual(
        await kit.store.take(id, 'a'),
        undefined,
        'the answer of take from an expired session',
      )
      demandEqual(
        await kit.store.load(id, kit.touch(late)),
        undefined,
        'the answer of a load with a touch after expiry',
      )
      await demandAbsent(kit.other, id, 'after late calls to an expired session')
    },
  },
  {
    id: 'S17c',
    level: 'MUST',
    clause:
      '`create` under the id of an expired record answers `true`, and the new record has nothing of the old one.',
    title: 'an expired session is no obstacle and leaves nothing to its successor',
    run: async (kit) => {
      const id = await expired(kit)
      const fresh = kit.holding({ b: '2' })
      demandEqual(
        await kit.store.create(id, fresh),
        true,
        'the answer of create over an expired record',
      )
      await demandRecord(kit.other, id, fresh, 'after create over an expired record')
    },
  },
  {
    id: 'S17d',
    level: 'SHOULD',
    clause:
      '`destroy` of an expired record answers `false`: for a caller it did not exist any more.',
    title: 'destroying an expired session says that there was none',
    run: async (kit) => {
      demandEqual(
        await kit.store.destroy(await expired(kit)),
        false,
        'the answer of destroy of an expired session',
      )
    },
  },
  {
    id: 'S19c',
    level: 'MUST',
    clause: 'At its deadline a session ends, however active it was.',
    title: 'the absolute deadline holds under constant activity',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        const expiresAt = kit.now() + span
        const deadline = expiresAt + span
        const id = kit.id()
        await before(expiresAt, async () => {
          await kit.store.create(id, kit.holding({ a: '1' }, { expiresAt, deadline }))
          const change = kit.setting({ a: '2' }, { rotate: 'renew' })
          demandCommitted(await kit.store.commit(id, change), 'a commit before the deadline')
          await kit.store.load(id, kit.touch(deadline + 60_000, { generation: 1 }))
        })
        await kit.after(deadline)
        await demandAbsent(kit.store, id, 'after the absolute deadline')
        demandEqual(
          await kit.other.commit(id, kit.setting({ a: '3' }, { generation: 1 })),
          'gone',
          'the answer of a commit after the deadline',
        )
      })
    },
  },
  {
    id: 'S20',
    level: 'MUST',
    clause:
      'A commit shortly before the idle deadline is applied and the session lives on with all it had.',
    title: 'a commit just in time keeps the session whole',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        const expiresAt = kit.now() + span
        const id = kit.id()
        await before(expiresAt, async () => {
          await kit.store.create(id, kit.holding({ a: '1', b: '1' }, { expiresAt, user: 'alice' }))
          demandCommitted(
            await kit.store.commit(id, kit.setting({ a: '2' })),
            'a commit before the idle deadline',
          )
        })
        await kit.after(expiresAt)
        const { user, values } = await loadLive(kit.other, id, 'that was extended in time')
        demandEqual(
          [user, values.get('a'), values.get('b')],
          ['alice', '2', '1'],
          'the user and the values',
        )
      })
    },
  },
  {
    id: 'S20b',
    level: 'MUST',
    clause: 'A new deadline that is earlier than the old one takes effect in the engine.',
    title: 'a shortened session ends at its new time',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        const id = await kit.session(kit.holding({ a: '1' }))
        const deadline = kit.now() + span
        await before(deadline, async () => {
          demandCommitted(
            await kit.store.commit(id, kit.change({ deadline })),
            'a commit that shortens the session',
          )
          await loadLive(kit.store, id, 'before its new deadline')
        })
        await kit.after(deadline)
        await demandAbsent(kit.other, id, 'after its new, earlier deadline')
      })
    },
  },
]

/** The id of a record that has just expired, seen by no verb since. */
async function expired(kit: StoreHarness): Promise<SessionId> {
  const expiresAt = kit.now() + 30
  const record = kit.holding(
    { a: '1' },
    { expiresAt, user: 'alice', generation: 2, rememberFor: 1000 },
  )
  const id = await kit.session(record)
  await kit.after(expiresAt)
  return id
}
