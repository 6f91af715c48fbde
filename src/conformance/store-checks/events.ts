import { demand, demandCommitted, demandEqual } from '../expect.ts'
import { expiring } from '../expiring.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionId, StoreEvent } from '../../store.ts'
import { catchUp, Heard, placesOf, stopping, sweepEverywhere, watching } from './heard.ts'

const HOUR = 3_600_000

/** Clauses on what a store tells of its sessions. */
export const eventChecks: readonly StoreCheck[] = [
  {
    id: 'S36',
    level: 'MUST',
    needs: ['eventLog'],
    clause:
      'A session that expires is told as `expired` once, however many sweep; one that was extended in time is not.',
    title: 'every expiry is told once',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        await watching(kit, [kit.store, kit.other], async (heard) => {
          const expiresAt = kit.now() + span
          const ids = Array.from({ length: 12 }, () => kit.id())
          const [touched, committed] = [kit.id(), kit.id()]
          await before(expiresAt, async () => {
            const record = kit.record({ expiresAt, user: 'alice' })
            const all = [...ids, touched, committed]
            await Promise.all(all.map((id) => kit.store.create(id, record)))
            await kit.store.load(touched, kit.touch(kit.now() + HOUR))
            await kit.store.commit(committed, kit.change())
          })
          await kit.after(expiresAt)
          await sweepEverywhere(kit)
          for (const each of heard) for (const id of ids) await each.until('expired', id)
          await catchUp(kit, heard)
          for (const each of heard) {
            for (const id of ids) demandTold(each, { id, types: ['created', 'expired'] })
            for (const id of [touched, committed]) demandTold(each, { id, types: ['created'] })
          }
        })
      })
    },
  },
  {
    id: 'S37',
    level: 'MUST',
    needs: ['events'],
    clause:
      'A session that is destroyed is told as `destroyed` once, and nothing is told of it afterwards, whatever is sent to it: no `expired` when its time would have come.',
    title: 'a destroyed session is told once and never expires',
    run: async (kit) => {
      await expiring(kit, async (span, before) => {
        await watching(kit, [kit.store, kit.other], async (heard) => {
          const expiresAt = kit.now() + span
          const [ended, expired] = [kit.id(), kit.id()]
          await before(expiresAt, async () => {
            for (const id of [ended, expired]) await kit.store.create(id, kit.record({ expiresAt }))
            await destroyTwice(kit, ended)
          })
          await kit.after(expiresAt)
          await sweepEverywhere(kit)
          for (const each of heard) {
            if (kit.capabilities.events === 'log') await each.until('expired', expired)
            await each.until('destroyed', ended)
          }
          await catchUp(kit, heard)
          for (const each of heard) demandTold(each, { id: ended, types: ['created', 'destroyed'] })
        })
      })
    },
  },
  {
    id: 'S38',
    level: 'MUST',
    needs: ['events'],
    clause:
      'Every watcher, in whichever process, is told of `created`, `renewed`, `elevated` and `destroyed`, for one session in this order, with id, time and user and nothing else; nothing is told of a load, a touch, `swap`, `take`, or a commit that changes no more than values and times.',
    title: 'watchers are told what happens to a session',
    run: async (kit) => {
      await watching(kit, placesOf(kit), async (heard) => {
        const start = kit.now()
        const id = await liveAndDie(kit)
        for (const each of heard) {
          await each.until('destroyed', id)
          const told = each.of(id)
          for (const { at } of told) {
            const passed = at >= start - 5000 && at <= kit.now() + 5000
            demand(passed, `an event is of ${at}, and it is ${kit.now()}`)
          }
          const wanted = [
            { type: 'created', id },
            { type: 'renewed', id },
            { type: 'elevated', id, user: 'alice' },
            { type: 'destroyed', id, user: 'alice' },
          ]
          demandEqual(told.map(timeless), wanted, 'what was told, without times,')
        }
      })
    },
  },
  {
    id: 'S38b',
    level: 'MUST',
    needs: ['events'],
    clause:
      'A login, and a logout that keeps the session, are told as `elevated`; `user` is who is logged in then, absent after a logout. `created` has the user of the record.',
    title: 'it is told who is logged in',
    run: async (kit) => {
      await watching(kit, [kit.other], async ([heard]) => {
        const id = await kit.session(kit.record({ user: 'alice' }))
        for (const [generation, user] of ['bob', null].entries()) {
          const change = kit.change({ generation, rotate: 'fence', user })
          demandCommitted(await kit.store.commit(id, change), 'a login or logout')
        }
        await kit.store.destroy(id)
        await heard?.until('destroyed', id)
        const wanted = [
          { type: 'created', id, user: 'alice' },
          { type: 'elevated', id, user: 'bob' },
          { type: 'elevated', id },
          { type: 'destroyed', id },
        ]
        demandEqual(heard?.of(id).map(timeless), wanted, 'what was told, without times,')
      })
    },
  },
  {
    id: 'S38c',
    level: 'MUST',
    needs: ['events', 'userCap'],
    clause:
      'A session that is destroyed to make room is told as `evicted`, once, and not as `destroyed`; a commit that is answered `full`, `gone` or `stale` tells nothing.',
    title: 'evictions are told, refusals are not',
    run: async (kit) => {
      await watching(kit, [kit.store, kit.other], async (heard) => {
        const user = `alice-${kit.id()}`
        const evicted = await kit.session(kit.record({ user }))
        const [refused, fenced] = [await kit.session(), await kit.session(fencedOff(kit))]
        for (const id of [refused, fenced, kit.id()]) {
          const outcome = await kit.store.commit(id, loginOf(kit, { user, full: 'reject' }))
          demand(typeof outcome === 'string', 'a login that is to be refused was applied')
        }
        const id = await kit.session()
        const change = loginOf(kit, { user, full: 'evict-oldest' })
        demandCommitted(await kit.store.commit(id, change), 'a login that makes room')
        for (const each of heard) {
          await each.until('elevated', id)
          await each.until('evicted', evicted)
        }
        await catchUp(kit, heard)
        for (const each of heard) {
          demandTold(each, { id: evicted, types: ['created', 'evicted'] })
          for (const other of [refused, fenced]) demandTold(each, { id: other, types: ['created'] })
        }
      })
    },
  },
  {
    id: 'S38d',
    level: 'MUST',
    needs: ['events'],
    clause: '`tell` adds an event that every watcher, in whichever process, is told once as it is.',
    title: 'what the core notices is told like all else',
    run: async (kit) => {
      await watching(kit, placesOf(kit), async (heard) => {
        const event: StoreEvent = { type: 'replayed', id: kit.id(), at: kit.now(), user: 'alice' }
        await kit.store.tell?.(event)
        for (const each of heard) await each.until('replayed', event.id)
        await catchUp(kit, heard)
        for (const each of heard) demandEqual(each.of(event.id), [event], 'what was told')
      })
    },
  },
  {
    id: 'S38e',
    level: 'MUST',
    needs: ['events'],
    clause:
      'A listener is not called any more after its `StopListening` has resolved; what a listener throws disturbs neither the store nor other listeners.',
    title: 'listeners end, and fail, by themselves',
    run: async (kit) => {
      const early = new Heard(kit)
      const stop = await kit.store.watch?.((event) => void early.events.push(event))
      const thrower = await kit.store.watch?.(() => {
        throw new Error('a listener that throws')
      })
      await stopping([stop, thrower], () =>
        watching(kit, [kit.store, kit.other], async (heard) => {
          const before = await kit.session()
          for (const each of [early, ...heard]) await each.until('created', before)
          await stop?.()
          const after = await kit.session()
          for (const each of heard) await each.until('created', after)
          demandEqual(early.of(after), [], 'what a listener was told after it was stopped')
        }),
      )
    },
  },
  {
    id: 'S38j',
    level: 'MUST',
    needs: ['events'],
    clause:
      'However many sessions begin and end at once, in whichever process, every watcher is told of each of them, of its begin before its end.',
    title: 'nothing is lost in a crowd',
    run: async (kit) => {
      await watching(kit, placesOf(kit), async (heard) => {
        const ids = await crowd(kit)
        for (const each of heard) {
          for (const id of ids) await each.until('destroyed', id)
          for (const id of ids) demandTold(each, { id, types: ['created', 'destroyed'] })
        }
      })
    },
  },
]

/** Sessions that every writer begins and ends, one after the other, all writers at once. */
async function crowd(kit: StoreHarness): Promise<readonly SessionId[]> {
  const ids = await kit.parallel(async (store) => {
    const own = Array.from({ length: Math.ceil(kit.rounds / 10) }, () => kit.id())
    for (const id of own) {
      await store.create(id, kit.record())
      await store.destroy(id)
    }
    return own
  })
  return ids.flat()
}

interface Told {
  readonly id: SessionId
  readonly types: readonly string[]
}

function demandTold(heard: Heard, { id, types }: Told): void {
  demandEqual(heard.typesOf(id), types, 'what was told of a session')
}

function timeless({ at: _at, ...event }: StoreEvent): Omit<StoreEvent, 'at'> {
  return event
}

async function destroyTwice(kit: StoreHarness, id: SessionId): Promise<void> {
  demandEqual(await kit.store.destroy(id), true, 'the answer of destroy')
  demandEqual(await kit.other.destroy(id), false, 'the answer of a second destroy')
  await kit.other.commit(id, kit.change({ rotate: 'renew' }))
  await kit.other.load(id, kit.touch(kit.now() + HOUR))
}

/** A session to which everything happens that can happen. */
async function liveAndDie(kit: StoreHarness): Promise<SessionId> {
  const id = await kit.session(kit.holding({ a: '1', b: '1' }))
  await kit.store.load(id, kit.touch(kit.now() + 2 * HOUR))
  await kit.store.commit(id, kit.setting({ c: '1' }, { expiresAt: kit.now() + 3 * HOUR }))
  await kit.store.swap(id, 'a', '1', '2')
  await kit.store.take(id, 'b')
  await kit.store.commit(id, kit.setting({ d: '1' }, { rotate: 'renew' }))
  // Another request that would have renewed: the generation does not grow again.
  await kit.store.commit(id, kit.change({ rotate: 'renew' }))
  await kit.store.commit(id, kit.change({ generation: 1, rotate: 'fence', user: 'alice' }))
  await kit.store.destroy(id)
  return id
}

function fencedOff(kit: StoreHarness): ReturnType<typeof kit.record> {
  return kit.record({ generation: 1, fence: 1 })
}

interface Login {
  readonly user: string
  readonly full: 'evict-oldest' | 'reject'
}

function loginOf(kit: StoreHarness, { user, full }: Login): ReturnType<typeof kit.change> {
  return kit.change({ user, cap: { most: 1, full }, rotate: 'fence' })
}
