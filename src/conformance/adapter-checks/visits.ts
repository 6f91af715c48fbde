import { demand, demandEqual } from '../expect.ts'
import type { AdapterCheck, AdapterHarness } from './harness.ts'

/** Checks of what a request brings: no cookie, a good one, bad ones. */
export const visitChecks: readonly AdapterCheck[] = [
  {
    id: 'H50',
    level: 'MUST',
    clause: 'A request without a cookie that only reads costs no store call and gets no cookie.',
    title: 'a visitor who only reads leaves no trace',
    alone: true,
    run: async (kit) => {
      const client = kit.client()
      const calls = await callsDuring(kit, async () => {
        const reply = await client.send('/values')
        demandEqual(reply.cookies, [], 'Set-Cookie for a request that only read')
        demandEqual(await reply.json(), { values: {} }, 'the session')
      })
      demandEqual(calls, [], 'the calls of the store')
    },
  },
  {
    id: 'H51',
    level: 'MUST',
    clause:
      'What the first request of a visitor sets is visible to itself and, all of it in one session, to the next request.',
    title: 'everything the first request does is there in the second',
    run: async (kit) => {
      const client = kit.client()
      const reply = await client.send('/begin')
      demandEqual(reply.cookies.length, 1, 'the number of cookies')
      demandEqual(await reply.json(), { first: 2, views: 1 }, 'what the first request saw')
      demandEqual(await client.values(), { values: { a: 2, views: 1 } }, 'the next request')
      demandEqual(await client.json('/notified'), { hello: 'once' }, 'the notification')
      demandEqual(await client.json('/notified'), {}, 'the notification, a second time')
    },
  },
  {
    id: 'H52',
    level: 'MUST',
    clause:
      'A cookie that was not signed by us, for this purpose and with a key that is on the ring, is no cookie: the visitor is anonymous, no store is asked, and no id is adopted.',
    title: 'forged cookies cost no store call',
    alone: true,
    run: async (kit) => {
      const forged = await forgeries(kit)
      const client = kit.client()
      const calls = await callsDuring(kit, async () => {
        for (const cookie of forged) {
          const reply = await client.send('/values', { cookie })
          demandEqual(reply.status, 200, `the status for the cookie ${cookie.slice(0, 40)}`)
          demandEqual(await reply.json(), { values: {} }, `the session of ${cookie.slice(0, 40)}`)
          demandEqual(reply.cookies, [], `Set-Cookie for ${cookie.slice(0, 40)}`)
        }
      })
      demandEqual(calls, [], 'the calls of the store')
      const begun = await client.send('/set?a=1', { cookie: forged[0] ?? '' })
      demand(valueOf(kit, begun.cookies[0]) !== forged[0], 'a forged cookie was adopted')
      await begun.text()
    },
  },
  {
    id: 'H53',
    level: 'MUST',
    clause: 'Of several cookies of our name the genuine one counts, wherever it stands.',
    title: 'a planted cookie does not hide the genuine one',
    run: async (kit) => {
      const client = await kit.visitor({ here: 'yes' })
      const { cookieName } = kit.manager
      const genuine = `${cookieName}=${client.jar.get(cookieName)}`
      const planted = `${cookieName}=v1.planted`
      for (const cookie of [`${planted}; ${genuine}`, `${genuine}; ${planted}`]) {
        const reply = await client.send('/values', { cookie })
        demandEqual(await reply.json(), { values: { here: 'yes' } }, 'the session')
      }
    },
  },
  {
    id: 'H54',
    level: 'MUST',
    clause:
      'A cookie signed with an older secret is accepted and issued anew with the first one; one signed with a secret that was removed is not.',
    title: 'secrets are exchanged without anybody losing a session',
    run: async (kit) => {
      const [older, newer] = [
        'an older secret of thirty-two bytes',
        'a newer secret of thirty-two bytes',
      ]
      const first = kit.client(await kit.serve(kit.newManager({ secret: older })))
      await (await first.send('/set?here=yes')).text()
      const second = kit.client(await kit.serve(kit.newManager({ secret: [newer, older] })))
      first.copyTo(second)
      const reply = await second.send('/values')
      demandEqual(await reply.json(), { values: { here: 'yes' } }, 'the session after the exchange')
      demandEqual(reply.cookies.length, 1, 'the number of cookies after the exchange')
      const last = kit.client(await kit.serve(kit.newManager({ secret: newer })))
      first.copyTo(last)
      demandEqual(await last.values(), { values: {} }, 'the session of a removed secret')
      second.copyTo(last)
      demandEqual(await last.values(), { values: { here: 'yes' } }, 'the session of the new secret')
    },
  },
  {
    id: 'G1',
    level: 'MUST',
    clause:
      'A request that only reads costs one store call and gets no cookie, but `Vary: Cookie`.',
    title: 'reading costs one round trip',
    alone: true,
    run: async (kit) => {
      const client = await kit.visitor()
      const calls = await callsDuring(kit, async () => {
        const reply = await client.send('/values')
        demandEqual(reply.cookies, [], 'Set-Cookie')
        demandEqual(reply.header('vary'), 'Cookie', 'Vary')
        await reply.text()
      })
      demandEqual(calls, ['load'], 'the calls of the store')
    },
  },
  {
    id: 'G2',
    level: 'MUST',
    clause: 'A request that writes costs two store calls, however much it writes.',
    title: 'writing costs two round trips',
    alone: true,
    run: async (kit) => {
      const client = await kit.visitor()
      const calls = await callsDuring(kit, async () => {
        await (await client.send('/set?a=1&b=2&c=3')).text()
      })
      demandEqual(calls, ['load', 'commit'], 'the calls of the store')
    },
  },
  {
    id: 'G3',
    level: 'MUST',
    clause: 'With `lazy` a route that does not touch the session costs no store call.',
    title: 'a lazy session is opened by the first touch only',
    alone: true,
    run: async (kit) => {
      const client = kit.client(await kit.serve(kit.manager, { lazy: true }))
      await (await client.send('/set?here=yes')).text()
      const untouched = await callsDuring(kit, async () => {
        demandEqual(await (await client.send('/untouched')).text(), 'untouched', 'the answer')
      })
      demandEqual(untouched, [], 'the calls of the store')
      demandEqual(await client.values(), { values: { here: 'yes' } }, 'the session when touched')
    },
  },
  {
    id: 'G4',
    level: 'MUST',
    clause: 'A request that `skip` names costs no store call.',
    title: 'requests for files are skipped',
    alone: true,
    run: async (kit) => {
      const client = await kit.visitor()
      const calls = await callsDuring(kit, async () => {
        demandEqual(
          await (await client.send('/static/style.css')).text(),
          'untouched',
          'the answer',
        )
      })
      demandEqual(calls, [], 'the calls of the store')
    },
  },
  {
    id: 'G5',
    level: 'MUST',
    clause: 'Requests of one session that run at once keep what the others wrote.',
    title: 'parallel requests keep each other’s writes',
    run: async (kit) => {
      const client = await kit.visitor({})
      await (await client.send('/increment')).text()
      const names = Array.from({ length: 8 }, (_, index) => `n${index}`)
      await Promise.all(
        names.flatMap((name) => [
          client.send(`/set?${name}=1`).then((reply) => reply.text()),
          client.send('/increment').then((reply) => reply.text()),
        ]),
      )
      const all = Object.fromEntries(names.map((name) => [name, '1']))
      demandEqual(await client.values(), { values: { views: 9, ...all } }, 'the session')
    },
  },
  {
    id: 'G13',
    level: 'MUST',
    clause:
      'Behind a proxy that is trusted, address and protocol are what it says; without one, what a client says of them is not believed.',
    title: 'a proxy is believed if it is trusted, and nobody else',
    run: async (kit) => {
      for (const proxied of [true, false]) {
        const { address, warned } = await visitThroughProxy(kit, proxied)
        const how = proxied ? 'behind a trusted proxy' : 'without a proxy'
        demandEqual(address === FORWARDED['x-forwarded-for'], proxied, `believing it ${how}`)
        demandEqual(warned, !proxied, `the warning of a connection without https ${how}`)
      }
    },
  },
]

/** The calls of the store that a step leads to. */
export async function callsDuring(
  { store }: AdapterHarness,
  act: () => Promise<void>,
): Promise<readonly string[]> {
  const before = store.calls.length
  await act()
  return store.calls.slice(before)
}

async function forgeries(kit: AdapterHarness): Promise<readonly string[]> {
  const { cookieName } = kit.manager
  const client = await kit.visitor()
  const genuine = client.jar.get(cookieName) ?? ''
  const others = await Promise.all([
    foreign(kit, { secret: 'another secret of thirty-two bytes' }),
    foreign(kit, { namespace: 'another application' }),
  ])
  const last = genuine.endsWith('A') ? 'E' : 'A'
  const values = [
    genuine.slice(0, -1) + last,
    genuine.slice(0, -5),
    `v0${genuine.slice(2)}`,
    `v2${genuine.slice(2)}`,
    '',
    'attacker-chosen-id',
    'x'.repeat(8000),
    ...others,
  ]
  return [...values.map((value) => `${cookieName}=${value}`), `${cookieName}x=${genuine}`]
}

async function foreign(
  kit: AdapterHarness,
  options: Parameters<AdapterHarness['newManager']>[0],
): Promise<string> {
  const manager = kit.newManager(options)
  const session = await manager.open(undefined)
  session.set('a', 1)
  const lines = await manager.commit(session)
  return lines[0]?.[1].split(/[=;]/)[1] ?? ''
}

function valueOf({ manager }: AdapterHarness, line = ''): string {
  return line.slice(0, line.indexOf(';')).replace(`${manager.cookieName}=`, '')
}

const FORWARDED = {
  host: 'shop.example',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
}

async function visitThroughProxy(kit: AdapterHarness, proxied: boolean) {
  let warned = false
  const manager = kit.newManager({
    observe: ({ type }) => void (warned ||= type === 'insecure-transport'),
  })
  const client = kit.client(await kit.serve(manager, { proxied }))
  await (await client.send('/set?a=1', { headers: FORWARDED })).text()
  const { address } = await client.json('/client')
  return { address, warned }
}
