import { demand, demandAbsent, demandCommitted, demandEqual, loadLive } from '../expect.ts'
import type { StoreCheck, StoreHarness } from '../harness.ts'
import type { SessionStore } from '../../store.ts'

const FIVE_MINUTES = 300_000

/** Clauses on processes: one that crashes, and ones whose clocks are wrong. */
export const processChecks: readonly StoreCheck[] = [
  {
    id: 'S47',
    level: 'MUST',
    clause:
      'Where the engine has a clock, processes whose clocks are five minutes wrong see no session expire early and none live longer.',
    title: 'wrong clocks of processes do not end or extend sessions',
    needs: ['engineClock', 'worker'],
    run: async (kit) => {
      const [ahead, behind] = await Promise.all([kit.start(FIVE_MINUTES), kit.start(-FIVE_MINUTES)])
      try {
        const id = await kit.session(kit.holding({ a: '1' }, { expiresAt: kit.now() + 60_000 }))
        await loadLive(ahead, id, 'in a process whose clock is five minutes ahead')
        demandEqual(
          typeof (await ahead.commit(id, kit.setting({ a: '2' }))),
          'object',
          'the type of answer of a commit in a process whose clock is ahead',
        )
        const expiresAt = kit.now() + 50
        const short = await kit.session(kit.record({ expiresAt }))
        await kit.after(expiresAt)
        demandEqual(
          await behind.load(short),
          undefined,
          'what a process whose clock is five minutes behind found after expiry',
        )
      } finally {
        await Promise.all([ahead.close(), behind.close()])
      }
    },
  },
  {
    id: 'S47b',
    level: 'MUST',
    clause:
      'Where the engine has a clock, a process whose clock is wrong gives and gets times by its own clock, and a session lives exactly as long as it asked for.',
    title: 'a process with a wrong clock makes sessions of the right length',
    needs: ['engineClock', 'worker'],
    run: async (kit) => {
      for (const skew of [FIVE_MINUTES, -FIVE_MINUTES]) {
        const remote = await kit.start(skew)
        try {
          await demandLengths(kit, { remote, skew })
        } finally {
          await remote.close()
        }
      }
    },
  },
  {
    id: 'S68',
    level: 'MUST',
    clause:
      'With `durable` other than `no`, what was acknowledged is found after the process that wrote it was killed.',
    title: 'an acknowledged write survives a crash of its process',
    needs: ['durable', 'worker'],
    run: async (kit) => {
      const doomed = await kit.start()
      try {
        const ids = Array.from({ length: 20 }, () => kit.id())
        await Promise.all(
          ids.map(async (id, n) => {
            await doomed.create(id, kit.holding({ a: '1' }))
            await doomed.commit(id, kit.setting({ b: `${n}` }))
          }),
        )
        await doomed.kill()
        const found = await Promise.all(ids.map((id) => kit.store.load(id)))
        const kept = found.filter(
          (record, n) => record?.values.get('a') === '1' && record.values.get('b') === `${n}`,
        ).length
        demandEqual(
          kept,
          ids.length,
          'the number of acknowledged sessions that survived the crash of their writer',
        )
      } finally {
        await doomed.kill()
      }
    },
  },
]

interface Skewed {
  readonly remote: SessionStore
  readonly skew: number
}

async function demandLengths(kit: StoreHarness, { remote, skew }: Skewed): Promise<void> {
  const local = kit.now() + skew
  const times = { createdAt: local, renewedAt: local, deadline: local + 120_000 }
  const [id, short] = [kit.id(), kit.id()]
  await remote.create(id, kit.holding({ a: '1' }, { ...times, expiresAt: local + 60_000 }))
  await remote.create(short, kit.record({ ...times, expiresAt: local + 50 }))
  const whose = `that a process whose clock is ${skew} ms wrong made`
  await loadLive(kit.store, id, whose)
  await loadLive(remote, id, whose)
  const change = kit.setting({ a: '2' }, { at: local, expiresAt: local + 90_000 })
  demandCommitted(await remote.commit(id, change), 'a commit of a process with a wrong clock')
  const left = (await loadLive(kit.store, id, whose)).expiresAt - (local - skew)
  demand(Math.abs(left - 90_000) < 5000, `a session of 90000 ms ${whose} ends in ${left} ms`)
  await kit.after(local - skew + 100)
  await demandAbsent(kit.store, short, `after its 50 ms, ${whose}`)
}
