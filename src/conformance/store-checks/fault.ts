import { setTimeout as sleep } from 'node:timers/promises'
import { demand, demandEqual, demandError, demandRecord, loadLive, plain, show } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import { isSessionError, type SessionErrorCode } from '../../errors.ts'
import type { SessionId } from '../../store.ts'

const UNREADABLE: readonly SessionErrorCode[] = ['ERR_SESSION_CORRUPT', 'ERR_SESSION_VERSION']
const OUTAGE: readonly SessionErrorCode[] = ['ERR_SESSION_STORE', 'ERR_SESSION_TIMEOUT']

/** Clauses on what can go wrong around a store: bad bytes, lost answers, outages. */
export const faultChecks: readonly StoreCheck[] = [
  {
    id: 'S42',
    level: 'MUST',
    clause:
      'A record that cannot be read throws `ERR_SESSION_CORRUPT`, or is not found; it is never half a record, and never another error. Under the id a session can be ended and begun anew.',
    title: 'corrupt bytes are an error with a code',
    needs: ['corrupt'],
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }, { user: 'alice' }))
      await kit.engine.corrupt?.(id)
      const seen = await readAll(kit, id).catch((error: unknown) => error)
      demand(
        seen === undefined || isCode(seen, UNREADABLE),
        `load of corrupt bytes was answered ${show(seen)}`,
      )
      const outcome = await kit.store
        .commit(id, kit.setting({ b: '2' }))
        .catch((error: unknown) => error)
      demand(
        outcome === 'gone' || isCode(outcome, UNREADABLE),
        `a commit to corrupt bytes was answered ${show(outcome)}`,
      )
      await kit.store.destroy(id)
      demandEqual(
        await kit.store.create(id, kit.holding({ c: '3' })),
        true,
        'the answer of create after corrupt bytes were destroyed',
      )
      demandEqual(
        [...(await loadLive(kit.other, id)).values],
        [['c', '3']],
        'the values of the new record',
      )
    },
  },
  {
    id: 'S42b',
    level: 'MUST',
    clause:
      'A record of a later version of the store throws `ERR_SESSION_VERSION` from every verb that would read or write it, and is kept as it is.',
    title: 'a record from the future is refused and kept',
    needs: ['fromTheFuture', 'dump'],
    run: async (kit) => {
      const mark = `mark${kit.id()}`
      const id = await kit.session(kit.holding({ a: mark }))
      await kit.engine.fromTheFuture?.(id)
      await demandError(
        kit.store.load(id),
        ['ERR_SESSION_VERSION'],
        'load of a record of a later version',
      )
      await demandError(
        kit.store.commit(id, kit.setting({ a: '2' })),
        ['ERR_SESSION_VERSION'],
        'a commit to a record of a later version',
      )
      await demandError(
        kit.store.create(id, kit.record()),
        ['ERR_SESSION_VERSION'],
        'create over a record of a later version',
      )
      demand(
        ((await kit.engine.dump?.()) ?? '').includes(mark),
        'a record of a later version was overwritten or removed',
      )
    },
  },
  {
    id: 'S45',
    level: 'MUST',
    clause:
      'A `create` whose answer was lost answers `true` or throws; it never answers `false` because of the record that it made itself.',
    title: 'a create whose answer is lost is not refused by its own record',
    needs: ['cutNextReply'],
    run: async (kit) => {
      const id = kit.id()
      const record = kit.holding({ a: '1' })
      await kit.engine.cutNextReply?.()
      const answer = await kit.store.create(id, record).catch((error: unknown) => error)
      demand(
        answer === true || isCode(answer, OUTAGE),
        `a create whose answer was lost was answered ${show(answer)}`,
      )
      await recovered(kit, id)
      if (answer === true)
        await demandRecord(kit.store, id, record, 'after a create whose answer was lost')
    },
  },
  {
    id: 'S45b',
    level: 'MUST',
    clause: 'A commit whose answer was lost is applied at most once: an addition is never doubled.',
    title: 'an addition whose answer is lost is not done twice',
    needs: ['cutNextReply'],
    run: async (kit) => {
      const id = await kit.session(kit.holding({ n: '0' }))
      await kit.engine.cutNextReply?.()
      const outcome = await kit.store
        .commit(id, kit.change({ add: new Map([['n', 1]]) }))
        .catch((error: unknown) => error)
      demand(
        !isSessionError(outcome) || isCode(outcome, OUTAGE),
        `a commit whose answer was lost threw ${show(outcome)}`,
      )
      demand(
        outcome !== 'gone' && outcome !== 'stale',
        `a commit whose answer was lost was answered ${show(outcome)}`,
      )
      await recovered(kit, id)
      const sum = (await loadLive(kit.store, id)).values.get('n')
      demand(
        sum === '1' || (sum === '0' && isSessionError(outcome)),
        `the sum after one addition is ${show(sum)}`,
      )
    },
  },
  {
    id: 'S46b',
    level: 'MUST',
    clause:
      'While the engine cannot be reached every verb throws `ERR_SESSION_STORE` or `ERR_SESSION_TIMEOUT`: an outage is never `undefined`, `false` or `gone`, and no call hangs.',
    title: 'an outage is an error, and not a logout',
    needs: ['stop', 'start'],
    run: async (kit) => {
      const id = await kit.session(kit.holding({ a: '1' }))
      await kit.engine.stop?.()
      try {
        await Promise.all(
          everyVerb(kit, id).map(([verb, call]) =>
            demandError(limited(call), OUTAGE, `${verb} during an outage`),
          ),
        )
      } finally {
        await kit.engine.start?.()
      }
      await recovered(kit, id)
    },
  },
]

/** Loads and reads: a store may look at the values only when they are asked for. */
async function readAll(kit: StoreHarness, id: SessionId): Promise<unknown> {
  const record = await kit.store.load(id)
  return record && plain(record)
}

function isCode(error: unknown, codes: readonly SessionErrorCode[]): boolean {
  return isSessionError(error) && codes.includes(error.code)
}

function everyVerb(
  kit: StoreHarness,
  id: SessionId,
): readonly (readonly [string, () => Promise<unknown>])[] {
  return [
    ['load', () => kit.store.load(id)],
    ['load with a touch', () => kit.store.load(id, kit.touch(kit.now() + 7_200_000))],
    ['create', () => kit.store.create(kit.id(), kit.record())],
    ['commit', () => kit.store.commit(id, kit.setting({ a: '2' }))],
    ['swap', () => kit.store.swap(id, 'a', '1', '2')],
    ['take', () => kit.store.take(id, 'never-there')],
    ['destroy', () => kit.store.destroy(kit.id())],
  ]
}

async function limited(call: () => Promise<unknown>): Promise<unknown> {
  const limit = new AbortController()
  const hanging = sleep(15_000, 'no answer within 15 s', { signal: limit.signal })
  try {
    return await Promise.race([call(), hanging])
  } finally {
    limit.abort()
    hanging.catch(() => undefined)
  }
}

/** Resolves when the store answers again; that it does is part of the clause. */
async function recovered(kit: StoreHarness, id: SessionId): Promise<void> {
  let last: unknown
  for (let tries = 0; tries < 100; tries++) {
    last = await kit.store.load(id).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (last === undefined) return
    await sleep(100)
  }
  demand(false, `the store did not recover within 10 s: ${String(last)}`)
}
