import { demand, demandEqual } from '../expect.ts'
import type { Reply } from './client.ts'
import type { AdapterCheck, AdapterHarness } from './harness.ts'

/** Checks of a store that cannot be reached. */
export const outageChecks: readonly AdapterCheck[] = [
  {
    id: 'G6',
    level: 'MUST',
    clause: 'A request whose session cannot be loaded is answered with 503 and no cookie.',
    title: 'an outage is not a logout',
    alone: true,
    run: async (kit) => {
      const client = await kit.visitor()
      await whileDown(kit, async () => demandRefusal(await client.send('/values')))
      demandEqual(await client.values(), { values: { here: 'yes' } }, 'the session afterwards')
    },
  },
  {
    id: 'G7',
    level: 'MUST',
    clause:
      'A response whose changes cannot be stored is not sent: the answer is 503, without our cookie.',
    title: 'what was not stored is not answered as done',
    alone: true,
    run: async (kit) => {
      const client = kit.client()
      for (const path of ['/redirect?a=1', '/login?user=ann', '/status?code=204&a=1']) {
        await whileDown(kit, async () => demandRefusal(await client.send(path)))
      }
      demandEqual(client.jar.size, 0, 'the number of cookies')
      demandEqual(await client.values(), { values: {} }, 'the session afterwards')
    },
  },
  {
    id: 'G8',
    level: 'MUST',
    clause: 'A stream whose beginning cannot be stored is answered with 503.',
    title: 'a stream that was not stored does not begin',
    alone: true,
    run: async (kit) => {
      const client = kit.client()
      await whileDown(kit, async () => demandRefusal(await client.send('/stream?early=one')))
      demandEqual(await client.values(), { values: {} }, 'the session afterwards')
    },
  },
  {
    id: 'G9',
    level: 'MUST',
    clause: 'A stream whose later changes cannot be stored does not end as if they were.',
    title: 'a stream that could not be stored to its end is cut off',
    alone: true,
    run: async (kit) => {
      const client = await kit.visitor({ early: 'one' })
      const place = kit.application.expectParked()
      const reply = await client.send(`/stream?key=${place.key}`)
      await place.arrived
      await whileDown(kit, async () => {
        place.go()
        const text = await reply.text().catch(() => undefined)
        demand(text === undefined, 'the stream came to a regular end')
      })
      demandEqual(await client.values(), { values: { early: 'one' } }, 'the session afterwards')
    },
  },
  {
    id: 'G12',
    level: 'MUST',
    clause:
      "With `onStoreFailure: 'anonymous'` a request whose session cannot be loaded has an anonymous one; what it sets is not answered as done.",
    title: 'an outage may be met with an anonymous session, which promises nothing',
    alone: true,
    run: async (kit) => {
      const client = await kit.visitor()
      const manager = kit.newManager({ onStoreFailure: 'anonymous' })
      const lenient = kit.client(await kit.serve(manager))
      client.copyTo(lenient)
      await whileDown(kit, async () => {
        const reply = await lenient.send('/values')
        demandEqual(reply.status, 200, 'the status of a request that reads')
        demandEqual(await reply.json(), { values: {} }, 'the session meanwhile')
        demandEqual(reply.cookies, [], 'Set-Cookie while the store is down')
        await demandRefusal(await lenient.send('/set?a=1'))
      })
      demandEqual(await lenient.values(), { values: { here: 'yes' } }, 'the session afterwards')
    },
  },
]

async function whileDown(kit: AdapterHarness, act: () => Promise<void>): Promise<void> {
  kit.store.down = true
  try {
    await act()
  } finally {
    kit.store.down = false
  }
}

async function demandRefusal(reply: Reply): Promise<void> {
  await reply.text()
  demandEqual(reply.status, 503, 'the status while the store is down')
  demandEqual(reply.cookies, [], 'Set-Cookie while the store is down')
}
