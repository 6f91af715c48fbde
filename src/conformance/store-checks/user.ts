import { demandCommitted, demandEqual, demandRecord, loadLive } from '../expect.ts'
import type { StoreCheck } from '../harness.ts'

/** Clauses on who is logged in, from where, and for how long. */
export const userChecks: readonly StoreCheck[] = [
  {
    id: 'S64',
    level: 'MUST',
    clause:
      'A text as `user` logs that user in and sets `authenticatedAt` to `at`, also if the same user was logged in before.',
    title: 'logging in sets the user and the time',
    run: async (kit) => {
      const before = kit.holding({ a: '1' })
      const id = await kit.session(before)
      for (const [n, user] of ['alice', 'alice', 'bob'].entries()) {
        const at = kit.now() + n + 1
        demandCommitted(
          await kit.store.commit(id, kit.change({ user, at, expiresAt: before.expiresAt })),
          'a login',
        )
        await demandRecord(kit.other, id, { ...before, user, authenticatedAt: at }, 'after a login')
      }
    },
  },
  {
    id: 'S64b',
    level: 'MUST',
    clause: '`null` as `user` removes the user and `authenticatedAt`; without `user` both stay.',
    title: 'logging out removes the user',
    run: async (kit) => {
      const id = await kit.session(
        kit.holding({ a: '1' }, { user: 'alice', authenticatedAt: kit.now() - 5 }),
      )
      await kit.store.commit(id, kit.setting({ a: '2' }))
      demandEqual(
        (await loadLive(kit.other, id)).user,
        'alice',
        'the user after a commit that names none',
      )
      await kit.store.commit(id, kit.change({ user: null }))
      const { user, authenticatedAt, values } = await loadLive(kit.other, id)
      demandEqual(
        [user, authenticatedAt, values.get('a')],
        [undefined, undefined, '2'],
        'the user, authenticatedAt and a value after a logout',
      )
    },
  },
  {
    id: 'S65',
    level: 'MUST',
    clause:
      'A number as `rememberFor` replaces it, `null` removes it, and without it what is stored stays.',
    title: 'remembering is set, kept and removed',
    run: async (kit) => {
      const id = await kit.session()
      const steps = [
        [{ rememberFor: 2_592_000_000 }, 2_592_000_000],
        [{}, 2_592_000_000],
        [{ rememberFor: 1000 }, 1000],
        [{ rememberFor: null }, undefined],
        [{}, undefined],
      ] as const
      for (const [fields, wanted] of steps) {
        demandCommitted(await kit.store.commit(id, kit.change(fields)), 'a commit')
        demandEqual(
          (await loadLive(kit.other, id)).rememberFor,
          wanted,
          `rememberFor after ${JSON.stringify(fields)}`,
        )
      }
    },
  },
  {
    id: 'S66',
    level: 'MUST',
    clause:
      '`createdAt` and `client` are what `create` was given, for as long as the session lives.',
    title: 'no verb changes when and by whom a session was begun',
    run: async (kit) => {
      const client = { userAgent: 'Browser/1.0', address: '::1' }
      const id = await kit.session(
        kit.holding({ a: '1' }, { createdAt: kit.now() - 60_000, client }),
      )
      const { createdAt } = await loadLive(kit.store, id)
      await kit.store.commit(
        id,
        kit.change({
          clear: true,
          user: 'alice',
          rotate: 'fence',
          deadline: kit.now() + 9_000_000,
          rememberFor: 5,
        }),
      )
      await kit.store.load(id, kit.touch(kit.now() + 8_000_000, { generation: 1 }))
      const after = await loadLive(kit.other, id)
      demandEqual(
        [after.createdAt, after.client],
        [createdAt, client],
        'createdAt and client after a login that clears everything',
      )
    },
  },
]
