import { inspect } from 'node:util'
import { demand, demandEqual } from '../expect.ts'
import type { AdapterCheck } from './harness.ts'
import { callsDuring } from './visits.ts'

/** Checks of what reaches the store. */
export const recordChecks: readonly AdapterCheck[] = [
  {
    id: 'H9',
    level: 'MUST',
    clause: 'A value that is set to what it already is is not written.',
    title: 'setting what is there costs no second round trip',
    alone: true,
    run: async (kit) => {
      const client = await kit.visitor({ here: 'yes' })
      const calls = await callsDuring(kit, async () => {
        const reply = await client.send('/set?here=yes')
        demandEqual(await reply.text(), 'set', 'the answer')
      })
      demandEqual(calls, ['load'], 'the calls of the store')
    },
  },
  {
    id: 'H10',
    level: 'MUST',
    clause: 'A value that was read and changed where it is, is stored as it has become.',
    title: 'what is pushed to a list in a session is there in the next request',
    run: async (kit) => {
      const client = kit.client()
      await (await client.send('/list')).text()
      await (await client.send('/push')).text()
      demandEqual(await client.values(), { values: { list: ['a', 'b'] } }, 'the next request')
    },
  },
  {
    id: 'H49',
    level: 'MUST',
    clause:
      'The store is given a hash of the credential, and nothing that a cookie could be made of.',
    title: 'whoever reads the store can be nobody',
    alone: true,
    run: async (kit) => {
      const given: string[] = []
      const cookies: string[] = []
      const client = kit.client()
      kit.store.spy = (call) => void given.push(inspect(call, { depth: 5, maxStringLength: null }))
      try {
        for (const path of ['/set?a=1', '/begin', '/login?user=alice', '/renew', '/logout']) {
          await (await client.send(path)).text()
          cookies.push(client.jar.get(kit.manager.cookieName) ?? '')
        }
      } finally {
        kit.store.spy = undefined
      }
      // v1.<kid>.<token>.<generation>.<mac>
      const secrets = cookies.flatMap((value) => [value.split('.')[2], value.split('.')[4]])
      const known = secrets.filter((secret) => secret !== undefined)
      demand(known.length > 0 && given.length > 0, 'no cookie was seen, or no call of the store')
      const found = known.filter((secret) => given.some((call) => call.includes(secret)))
      demandEqual(found.length, 0, 'the number of secrets that the store was given')
    },
  },
]
