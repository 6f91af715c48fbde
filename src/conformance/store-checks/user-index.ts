import { demand, demandCommitted, demandEqual, loadLive } from '../expect.ts'
import { expiring } from '../expiring.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { CommitOutcome, SessionId, SessionStore } from '../../store.ts'

const STRANGE_USERS = [
  'a:b',
  '{a}',
  'a}b{',
  'user:',
  ':',
  'Zoë 😀',
  'a b',
  'o\'hara"',
  '%',
  '*',
  '\\',
  'null',
  'undefined',
  '__proto__',
  'A',
  'a',
  'a\n',
  '0',
  'x'.repeat(490),
]

/** Clauses on finding the sessions of a user. */
export const userIndexChecks: readonly StoreCheck[] = [
  {
    id: 'S32',
    level: 'MUST',
    clause:
      '`sessionsOf` finds exactly the live sessions of a user: those created with the user and those that logged in, not those of others.',
    title: 'the sessions of a user are found',
    needs: ['userIndex'],
    run: async (kit) => {
      const [alice, bob] = [fresh(kit, 'alice'), fresh(kit, 'bob')]
      const created = await kit.session(kit.record({ user: alice }))
      const loggedIn = await kit.session()
      demandCommitted(
        await kit.store.commit(loggedIn, kit.change({ user: alice, rotate: 'fence' })),
        'a login',
      )
      const other = await kit.session(kit.record({ user: bob }))
      await demandSessions(kit, {
        user: alice,
        ids: [created, loggedIn],
        when: 'after a create and a login',
      })
      await demandSessions(kit, { user: bob, ids: [other], when: 'of another user' })
      await demandSessions(kit, {
        user: fresh(kit, 'nobody'),
        ids: [],
        when: 'of a user who never logged in',
      })
    },
  },
  {
    id: 'S32b',
    level: 'MUST',
    clause:
      'When a session changes its user, loses its user or is destroyed, `sessionsOf` the former user does not find it any more.',
    title: 'logout, change of user and destroy leave no entry',
    needs: ['userIndex'],
    run: async (kit) => {
      const [alice, bob] = [fresh(kit, 'alice'), fresh(kit, 'bob')]
      const [changed, removed, ended] = await Promise.all(
        [1, 2, 3].map(() => kit.session(kit.record({ user: alice }))),
      )
      if (changed === undefined || removed === undefined || ended === undefined) return
      await kit.store.commit(changed, kit.change({ user: bob, rotate: 'fence' }))
      await kit.store.commit(removed, kit.change({ user: null, rotate: 'fence' }))
      await kit.store.destroy(ended)
      await demandSessions(kit, {
        user: alice,
        ids: [],
        when: 'after change of user, logout and destroy',
      })
      await demandSessions(kit, { user: bob, ids: [changed], when: 'after a session became his' })
    },
  },
  {
    id: 'S32c',
    level: 'MUST',
    clause:
      '`sessionsOf` does not find expired sessions, and still finds those that were extended.',
    title: 'an expired session is no session of its user',
    needs: ['userIndex'],
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        const user = fresh(kit, 'alice')
        const expiresAt = kit.now() + span
        const [short, extended] = [kit.id(), kit.id()]
        await before(expiresAt, async () => {
          await kit.store.create(short, kit.record({ user, expiresAt }))
          await kit.store.create(extended, kit.record({ user, expiresAt }))
          await kit.store.commit(extended, kit.change())
          await demandSessions(kit, {
            user,
            ids: [short, extended],
            when: 'before one of two expired',
          })
        })
        await kit.after(expiresAt)
        await demandSessions(kit, { user, ids: [extended], when: 'after one of two expired' })
      })
    },
  },
  {
    id: 'S32d',
    level: 'MUST',
    clause:
      'A user is any text: no character of it has a meaning to the index, and no two users are the same to it.',
    title: 'strange users are kept apart',
    needs: ['userIndex'],
    run: async (kit) => {
      const mark = kit.id()
      const users = STRANGE_USERS.map((user) => `${user}${mark}${user}`)
      const ids = await Promise.all(users.map((user) => kit.session(kit.record({ user }))))
      for (const [n, user] of users.entries()) {
        await demandSessions(kit, { user, ids: ids.slice(n, n + 1), when: 'among strange users' })
        demandEqual(
          (await loadLive(kit.store, ids[n] ?? kit.id())).user,
          user,
          'the user of the record',
        )
      }
    },
  },
  {
    id: 'S32e',
    level: 'MUST',
    clause:
      'After parallel logins and logouts of many sessions of one user, `sessionsOf` finds exactly those that are logged in.',
    title: 'parallel logins and logouts leave an exact index',
    needs: ['userIndex'],
    run: async (kit) => {
      await kit.race(async () => {
        const user = fresh(kit, 'alice')
        const ids = await Promise.all(
          kit.writers.map((_, n) => kit.session(n % 2 === 0 ? kit.record() : kit.record({ user }))),
        )
        await kit.parallel((store, n) => inOrOut(kit, { store, id: ids[n] ?? kit.id(), n, user }))
        await demandSessions(kit, {
          user,
          ids: ids.filter((_, n) => n % 2 === 0),
          when: 'after parallel logins and logouts',
        })
      })
    },
  },
  {
    id: 'S32f',
    level: 'MUST',
    clause:
      'After parallel changes of the user of one session, `sessionsOf` finds it for the user in its record and for nobody else.',
    title: 'parallel changes of user leave one owner',
    needs: ['userIndex'],
    run: async (kit) => {
      await kit.race(async () => {
        const id = await kit.session()
        const users = kit.writers.map((_, n) => fresh(kit, `user${n}`))
        await kit.parallel((store, n) => store.commit(id, kit.change({ user: users[n] ?? null })))
        const owner = (await loadLive(kit.store, id)).user
        const found = await Promise.all(users.map(async (user) => kit.other.sessionsOf?.(user)))
        demandEqual(
          users.filter((_, n) => found[n]?.includes(id) === true),
          [owner],
          'the users for whom the session is found',
        )
      })
    },
  },
  {
    id: 'S35',
    level: 'MUST',
    clause:
      'When every session that `sessionsOf` finds is destroyed, all sessions that the user had before are gone, whatever commits and logins are under way; a session that was not destroyed is found still.',
    title: 'logging out everywhere ends every session there was',
    needs: ['userIndex'],
    run: async (kit) => {
      await kit.race(async (round) => {
        const user = fresh(kit, 'alice')
        const visits = kit.writers.map((_, n) =>
          n % 2 === 0 ? kit.record({ user }) : kit.record(),
        )
        const ids = await Promise.all(visits.map((record) => kit.session(record)))
        await kit.parallel<unknown>((store, n) =>
          n === round % kit.writers.length
            ? destroyAll(store, user)
            : commitOrLogIn(kit, { store, id: ids[n] ?? kit.id(), n, user }),
        )
        const records = await Promise.all(ids.map((id) => kit.other.load(id)))
        const left = records.filter((record, n) => n % 2 === 0 && record !== undefined).length
        demandEqual(left, 0, 'the number of sessions that were left when all were destroyed')
        await demandSessions(kit, {
          user,
          ids: ids.filter((_, n) => records[n]?.user === user),
          when: 'after all were destroyed while others logged in',
        })
      })
    },
  },
]

interface Sessions {
  readonly user: string
  readonly ids: readonly SessionId[]
  readonly when: string
}

async function demandSessions(kit: StoreHarness, { user, ids, when }: Sessions): Promise<void> {
  const found = (await kit.other.sessionsOf?.(user)) ?? []
  const wanted = ids.toSorted()
  const hint = `sessionsOf found ${found.length} sessions instead of ${wanted.length}, or others, ${when}`
  demand(JSON.stringify(found.toSorted()) === JSON.stringify(wanted), hint)
}

/** A user of this kit alone: the engine may hold sessions of others. */
function fresh(kit: StoreHarness, name: string): string {
  return `${name}-${kit.id()}`
}

interface InOrOut {
  readonly store: SessionStore
  readonly id: SessionId
  readonly n: number
  readonly user: string
}

async function destroyAll(store: SessionStore, user: string): Promise<void> {
  const ids = (await store.sessionsOf?.(user)) ?? []
  await Promise.all(ids.map((id) => store.destroy(id)))
}

function commitOrLogIn(kit: StoreHarness, { store, id, n, user }: InOrOut): Promise<CommitOutcome> {
  if (n % 2 === 1) return store.commit(id, kit.change({ user, rotate: 'fence' }))
  return store.commit(id, kit.setting({ a: '1' }, n % 4 === 0 ? { rotate: 'renew' } : {}))
}

function inOrOut(kit: StoreHarness, { store, id, n, user }: InOrOut): Promise<unknown> {
  if (n % 2 === 0) return store.commit(id, kit.change({ user, rotate: 'fence' }))
  return n % 4 === 1
    ? store.destroy(id)
    : store.commit(id, kit.change({ user: null, rotate: 'fence' }))
}
