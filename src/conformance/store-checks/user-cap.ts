import {
  demand,
  demandAbsent,
  demandCommitted,
  demandEqual,
  demandError,
  demandRecord,
  loadLive,
  show,
} from '../expect.ts'
import { expiring } from '../expiring.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { CommitOutcome, SessionChange, SessionId, UserCap } from '../../store.ts'

const MOST = 3
const HOUR = 3_600_000

/** Clauses on the limit of sessions of a user. */
export const userCapChecks: readonly StoreCheck[] = [
  {
    id: 'S34',
    level: 'MUST',
    needs: ['userCap'],
    clause:
      'However many logins of a user with `evict-oldest` are under way, in whichever process, all are applied and as many sessions are left as `cap` allows; each of the others is named in one `evicted` and is gone.',
    title: 'parallel logins keep the limit by making room',
    run: async (kit) => {
      await kit.race(async () => {
        const { ids, outcomes } = await logins(kit, { most: MOST, full: 'evict-oldest' })
        const evicted = outcomes.flatMap((outcome) => [
          ...(demandCommitted(outcome, 'a login that makes room').evicted ?? []),
        ])
        const left = await liveOf(kit, ids)
        const count = `${ids.length} parallel logins with room for ${MOST}`
        demandEqual(left.length, MOST, `the number of sessions after ${count}`)
        const ended = ids.filter((id) => !left.includes(id))
        demandEqual(evicted.toSorted(), ended.toSorted(), `what was named as evicted by ${count}`)
      })
    },
  },
  {
    id: 'S34b',
    level: 'MUST',
    needs: ['userCap'],
    clause:
      'However many logins of a user with `reject` are under way, in whichever process, as many are applied as `cap` allows, and the others are answered `full`.',
    title: 'parallel logins keep the limit by refusal',
    run: async (kit) => {
      await kit.race(async () => {
        const { ids, outcomes } = await logins(kit, { most: MOST, full: 'reject' })
        const applied = ids.filter((_, n) => typeof outcomes[n] === 'object')
        const others = outcomes.filter((outcome) => typeof outcome === 'string')
        const count = `${ids.length} parallel logins with room for ${MOST}`
        demandEqual(applied.length, MOST, `the number of logins that were applied of ${count}`)
        demand(
          others.every((outcome) => outcome === 'full'),
          `the others of ${count} were answered ${show(others)}`,
        )
        const left = await liveOf(kit, ids)
        demandEqual(left.toSorted(), applied.toSorted(), `the sessions that are logged in`)
      })
    },
  },
  {
    id: 'S34c',
    level: 'MUST',
    needs: ['userCap'],
    clause:
      '`evict-oldest` destroys the sessions of the user that end first, no more than needed; after `full` the record is as it was, and so are those of the user.',
    title: 'the sessions that end first make room',
    run: async (kit) => {
      const user = fresh(kit)
      const [last, first, second] = await Promise.all(
        [5, 3, 4].map((hours) => kit.session(endingIn(kit, { hours, user }))),
      )
      if (last === undefined || first === undefined || second === undefined) return
      const before = kit.holding({ a: '1' })
      const id = await kit.session(before)
      const refused = { user, cap: { most: 3, full: 'reject' }, rotate: 'fence' } as const
      demandEqual(
        await kit.store.commit(id, kit.setting({ b: '2' }, refused)),
        'full',
        'the answer of a login beyond the limit',
      )
      await demandRecord(kit.other, id, before, 'after a login that was refused')
      for (const other of [first, second, last]) await loadLive(kit.other, other)
      const { evicted = [] } = demandCommitted(
        await kit.store.commit(id, loginOf(kit, user, { most: 2, full: 'evict-oldest' })),
        'a login that makes room',
      )
      demandEqual(
        evicted.toSorted(),
        [first, second].toSorted(),
        'what was evicted for two sessions of four',
      )
      for (const ended of evicted) await demandAbsent(kit.other, ended, 'after it was evicted')
      await loadLive(kit.other, last, 'that ends last')
    },
  },
  {
    id: 'S34d',
    level: 'MUST',
    needs: ['userCap'],
    clause:
      'The session itself takes no room, nor do sessions that have expired, were destroyed or logged out, nor those of other users.',
    title: 'only other live sessions of the user are counted',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        const user = fresh(kit)
        const expiresAt = kit.now() + span
        const [expired, id, ended, left] = [kit.id(), kit.id(), kit.id(), kit.id()]
        await before(expiresAt, async () => {
          await kit.store.create(expired, kit.record({ user, expiresAt }))
          for (const each of [id, ended, left]) await kit.store.create(each, kit.record())
          await kit.session(kit.record({ user: fresh(kit) }))
        })
        await kit.after(expiresAt)
        const only: UserCap = { most: 1, full: 'reject' }
        for (const when of ['in place of an expired one', 'where the user is already']) {
          const { evicted = [] } = demandCommitted(
            await kit.store.commit(id, loginOf(kit, user, only)),
            `the only login ${when}`,
          )
          demandEqual(evicted, [], `what was evicted by the only login ${when}`)
        }
        await kit.store.commit(id, kit.change({ user: null }))
        demandCommitted(
          await kit.other.commit(left, loginOf(kit, user, only)),
          'a login after a logout',
        )
        await kit.store.destroy(left)
        demandCommitted(
          await kit.other.commit(ended, loginOf(kit, user, only)),
          'a login after a destroy',
        )
      })
    },
  },
  {
    id: 'S34e',
    level: 'MUST',
    needs: ['userCap'],
    clause:
      'A commit that is answered `gone` or `stale`, or whose `add` is refused, makes no room; in a commit without a text as `user` `cap` means nothing.',
    title: 'only a login that is applied makes room',
    run: async (kit) => {
      const user = fresh(kit)
      const cap: UserCap = { most: 1, full: 'evict-oldest' }
      const kept = await kit.session(kit.record({ user }))
      const fenced = await kit.session(kit.record({ generation: 1, fence: 1 }))
      demandEqual(
        await kit.store.commit(kit.id(), loginOf(kit, user, cap)),
        'gone',
        'the answer of a login under an unknown id',
      )
      demandEqual(
        await kit.store.commit(fenced, loginOf(kit, user, cap)),
        'stale',
        'the answer of a fenced-off login',
      )
      const text = await kit.session(kit.holding({ a: 'text' }))
      await demandError(
        kit.store.commit(text, kit.change({ user, cap, add: new Map([['a', 1]]) })),
        ['ERR_SESSION_NOT_A_NUMBER'],
        'a login that adds to a text',
      )
      const second = await kit.session(kit.record({ user }))
      demandCommitted(await kit.store.commit(second, kit.change({ cap })), 'a commit with a cap')
      for (const id of [kept, second]) {
        await loadLive(kit.other, id, 'after commits that log nobody in')
      }
    },
  },
]

interface Ending {
  readonly hours: number
  readonly user: string
}

function endingIn(kit: StoreHarness, { hours, user }: Ending): ReturnType<typeof kit.record> {
  const expiresAt = kit.now() + hours * HOUR
  return kit.record({ user, expiresAt, deadline: expiresAt + HOUR })
}

function loginOf(kit: StoreHarness, user: string, cap: UserCap): SessionChange {
  return kit.change({ user, cap })
}

/** Logs a new user in, by every writer at once, each in a session of its own. */
async function logins(
  kit: StoreHarness,
  cap: UserCap,
): Promise<{ readonly ids: readonly SessionId[]; readonly outcomes: readonly CommitOutcome[] }> {
  const user = fresh(kit)
  const ids = await Promise.all(kit.writers.map(() => kit.session()))
  const outcomes = await kit.parallel((store, n) =>
    store.commit(ids[n] ?? kit.id(), loginOf(kit, user, cap)),
  )
  return { ids, outcomes }
}

async function liveOf(kit: StoreHarness, ids: readonly SessionId[]): Promise<readonly SessionId[]> {
  const records = await Promise.all(ids.map((id) => kit.other.load(id)))
  return ids.filter((_, n) => records[n]?.user !== undefined)
}

function fresh(kit: StoreHarness): string {
  return `alice-${kit.id()}`
}
