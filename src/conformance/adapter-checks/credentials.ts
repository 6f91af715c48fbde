import { demand, demandEqual } from '../expect.ts'
import type { CheckClient, Reply } from './client.ts'
import type { AdapterCheck, AdapterHarness } from './harness.ts'

/** Checks of logins, logouts and what happens to requests that are under way then. */
export const credentialChecks: readonly AdapterCheck[] = [
  {
    id: 'H57',
    level: 'MUST',
    clause: 'The cookie that deletes has the name and the attributes of the one that was set.',
    title: 'a logout takes back exactly the cookie that was given',
    run: async (kit) => {
      const client = kit.client()
      const set = await client.send('/login?user=ann')
      await set.text()
      const deleted = await client.send('/logout')
      await deleted.text()
      demandEqual(attributesOf(deleted), attributesOf(set), 'the attributes of the deletion')
      demandEqual(client.jar.size, 0, 'the number of cookies left')
    },
  },
  {
    id: 'H58a',
    level: 'MUST',
    clause: 'A request whose session ended while it ran sends no cookie, and none that deletes.',
    title: 'a late answer does not log a browser out',
    run: async (kit) => {
      const client = await kit.visitor()
      const late = await parked(kit, client, 'late=yes')
      await (await client.send('/destroy')).text()
      await (await client.send('/login?user=ann')).text()
      demandEqual((await late()).cookies, [], 'Set-Cookie of the late answer')
      demandEqual(await client.values(), { values: {}, user: 'ann' }, 'the browser')
    },
  },
  {
    id: 'H58b',
    level: 'MUST',
    clause:
      'A login and a request that was under way leave the browser logged in, whichever is answered last.',
    title: 'a login survives a request that was under way',
    run: async (kit) => {
      const client = await kit.visitor()
      const late = await parked(kit, client, 'late=yes')
      await (await client.send('/login?user=ann')).text()
      demandEqual((await late()).cookies, [], 'Set-Cookie of the late answer')
      const seen = await client.json('/values')
      demandEqual(seen['user'], 'ann', 'the user')
    },
  },
  {
    id: 'H61',
    level: 'MUST',
    clause: 'A logout without a session makes none, and asks no store.',
    title: 'a logout leaves nothing behind',
    alone: true,
    run: async (kit) => {
      const before = kit.store.calls.length
      const reply = await kit.client().send('/logout')
      await reply.text()
      demandEqual(kit.store.calls.slice(before), [], 'the calls of the store')
      demandEqual(reply.cookies, [], 'Set-Cookie')
    },
  },
  {
    id: 'H63a',
    level: 'MUST',
    clause: 'What a request writes after its session was ended does not bring it back.',
    title: 'a slow request does not revive a session that was logged out',
    run: async (kit) => {
      const client = await kit.visitor()
      const before = kit.client()
      client.copyTo(before)
      const late = await parked(kit, client, 'late=yes')
      await (await client.send('/logout')).text()
      await late()
      demandEqual(await before.values(), { values: {} }, 'the session under its old cookie')
    },
  },
  {
    id: 'H63b',
    level: 'MUST',
    clause: 'What a request of before a login writes is dropped.',
    title: 'a slow request writes nothing into the session of a login',
    run: async (kit) => {
      const client = await kit.visitor()
      const late = await parked(kit, client, 'late=yes')
      await (await client.send('/login?user=ann')).text()
      await late()
      const wanted = { values: { here: 'yes' }, user: 'ann' }
      demandEqual(await client.values(), wanted, 'the session after the login')
    },
  },
  {
    id: 'H63c',
    level: 'MUST',
    clause: 'What a request writes while the credential is renewed is kept, under both cookies.',
    title: 'a slow request survives a renewal',
    run: async (kit) => {
      const client = await kit.visitor()
      const before = kit.client()
      client.copyTo(before)
      const late = await parked(kit, client, 'late=yes')
      const renewed = await client.send('/renew')
      demandEqual(renewed.cookies.length, 1, 'the number of cookies of the renewal')
      await renewed.text()
      await late()
      const wanted = { values: { here: 'yes', late: 'yes' } }
      demandEqual(await client.values(), wanted, 'the session under the new cookie')
      demandEqual(await before.values(), wanted, 'the session under the previous cookie')
    },
  },
]

// A request that is under way, and what answers it.
async function parked(
  kit: AdapterHarness,
  client: CheckClient,
  query: string,
): Promise<() => Promise<Reply>> {
  const place = kit.application.expectParked()
  const reply = client.send(`/park?key=${place.key}&${query}`)
  await place.arrived
  return async () => {
    place.go()
    const answered = await reply
    await answered.text()
    return answered
  }
}

function attributesOf(reply: Reply): readonly string[] {
  const [line = ''] = reply.cookies
  demand(reply.cookies.length === 1, `${reply.cookies.length} cookies were set`)
  const [pair = '', ...attributes] = line.split(/; */)
  const kept = attributes.filter((attribute) => !/^(?:max-age|expires)=/i.test(attribute))
  return [pair.slice(0, pair.indexOf('=')), ...kept.toSorted()]
}
