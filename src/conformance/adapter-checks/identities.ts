import { demand, demandEqual } from '../expect.ts'
import type { CheckClient } from './client.ts'
import type { AdapterCheck, AdapterHarness } from './harness.ts'

const ANONYMOUS = { values: {} }

/** Checks of who a request is taken for. */
export const identityChecks: readonly AdapterCheck[] = [
  {
    id: 'H52b',
    level: 'MUST',
    clause:
      'A genuine cookie of a session that has ended opens nothing, and what is set then is in a session of another credential.',
    title: 'a cookie of the past is not adopted',
    run: async (kit) => {
      const client = await kit.visitor({ here: 'yes' })
      const past = tokenOf(kit, client)
      const thief = kit.client()
      client.copyTo(thief)
      await (await client.send('/destroy')).text()
      demandEqual(await thief.values(), ANONYMOUS, 'the session under a cookie of the past')
      await (await thief.send('/set?a=1')).text()
      demand(tokenOf(kit, thief) !== past, 'a credential of the past was adopted')
      demandEqual(await thief.values(), { values: { a: '1' } }, 'the session that was begun')
    },
  },
  {
    id: 'G10',
    level: 'MUST',
    clause:
      'A login, also one of the same user again, and a logout make every earlier cookie worthless at once.',
    title: 'whoever has a cookie of before a login has nothing',
    run: async (kit) => {
      const client = await kit.visitor({ here: 'yes' })
      const thieves: CheckClient[] = []
      for (const path of ['/login?user=alice', '/login?user=alice', '/logout']) {
        const thief = kit.client()
        client.copyTo(thief)
        thieves.push(thief)
        await (await client.send(path)).text()
        for (const each of thieves) {
          demandEqual(
            await each.values(),
            ANONYMOUS,
            `the session of an earlier cookie after ${path}`,
          )
        }
      }
    },
  },
  {
    id: 'G11',
    level: 'MUST',
    clause: 'Requests of different visitors that run at once never see the session of another one.',
    title: 'visitors at once are each taken for themselves',
    run: async (kit) => {
      const names = Array.from({ length: 6 }, (_, index) => `visitor${index}`)
      const clients = await Promise.all(names.map((name) => kit.visitor({ name })))
      const wave = clients.flatMap((client, index) =>
        Array.from({ length: 5 }, async (_, turn) => {
          await (await client.send(`/set?turn${turn}=${names[index]}`)).text()
          const { values } = await client.json('/values')
          const seen = Object.values(values as Readonly<Record<string, string>>)
          demand(
            seen.every((value) => value === names[index]),
            `${names[index]} saw ${seen.join(', ')}`,
          )
        }),
      )
      await Promise.all(wave)
    },
  },
]

/** v1.<kid>.<token>.<generation>.<mac> */
function tokenOf(kit: AdapterHarness, client: CheckClient): string | undefined {
  return client.jar.get(kit.manager.cookieName)?.split('.')[2]
}
