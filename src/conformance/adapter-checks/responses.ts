import { setTimeout as sleep } from 'node:timers/promises'
import { demand, demandEqual } from '../expect.ts'
import type { CheckClient } from './client.ts'
import type { AdapterCheck, AdapterHarness } from './harness.ts'

const SESSIONS = 20

/** Checks of when a response leaves, and of what is in it. */
export const responseChecks: readonly AdapterCheck[] = [
  {
    id: 'H55',
    level: 'MUST',
    clause: 'Nothing of a response reaches the client before what the request did is stored.',
    title: 'a redirect that is followed at its headers finds what was set',
    run: async (kit) => {
      // A store that takes a little is where an answer overtakes it most easily: 400 tries there.
      const rounds = kit.delay > 0 && kit.delay <= 50 ? 20 : 4
      const clients = Array.from({ length: SESSIONS }, () => kit.client())
      const stale = await Promise.all(clients.map((client) => staleRedirects(client, rounds)))
      const count = stale.reduce((sum, one) => sum + one, 0)
      demand(count === 0, `${count} of ${SESSIONS * rounds} redirects led to a stale page`)
    },
  },
  {
    id: 'H56a',
    level: 'MUST',
    clause: 'HEAD, 204 and 304 store what the request did, and set our cookie once.',
    title: 'responses without a body are stored too',
    run: async (kit) => {
      for (const [path, method] of [
        ['/status?code=200&a=1', 'HEAD'],
        ['/status?code=204&a=1', 'GET'],
        ['/status?code=304&a=1', 'GET'],
        ['/status?code=404&a=1', 'GET'],
      ] as const) {
        const client = kit.client()
        const reply = await client.send(path, { method })
        await reply.text()
        demandEqual(ours(kit, reply.cookies).length, 1, `our cookies for ${method} ${path}`)
        demandEqual(await client.values(), { values: { a: '1' } }, `the session after ${path}`)
      }
    },
  },
  {
    id: 'H56b',
    level: 'MUST',
    clause: 'A stream is stored, with its cookie, before its first byte.',
    title: 'what was set before a stream is there at its first byte',
    run: async (kit) => {
      const client = kit.client()
      const reply = await client.send('/stream?early=one')
      demandEqual(ours(kit, reply.cookies).length, 1, 'the number of our cookies')
      const seen = (await client.json('/values'))['values']
      demandEqual(Reflect.get(Object(seen), 'early'), 'one', 'what is seen while it streams')
      const body = await reply.text()
      demand(body.startsWith('data: one\n\n'), `the stream was ${JSON.stringify(body)}`)
    },
  },
  {
    id: 'H56c',
    level: 'MUST',
    clause:
      'What is set on an established session while it streams is stored before the stream ends.',
    title: 'what was set in a stream is there at its end',
    run: async (kit) => {
      const client = await kit.visitor({ early: 'one' })
      const reply = await client.send('/stream')
      demandEqual(await reply.text(), 'data: one\n\ndata: changed\n\n', 'the stream')
      const wanted = { values: { early: 'one', late: 'yes' } }
      demandEqual(await client.values(), wanted, 'the session')
    },
  },
  {
    id: 'H56d',
    level: 'MUST',
    clause: 'Beginning a session, or a login, after the headers have left throws.',
    title: 'a cookie that could not be sent is an error',
    run: async (kit) => {
      const wanted = /ERR_SESSION_HEADERS_SENT/
      const visitor = kit.client()
      const begun = await (await visitor.send('/stream')).text()
      demand(wanted.test(begun), `a late beginning answered ${JSON.stringify(begun)}`)
      const login = await (await (await kit.visitor()).send('/stream-login')).text()
      demand(wanted.test(login), `a late login answered ${JSON.stringify(login)}`)
    },
  },
  {
    id: 'H56e',
    level: 'MUST',
    clause: 'A client that goes away does not undo what its request did, nor harm others.',
    title: 'what was set in a stream is stored although the client went away',
    run: async (kit) => {
      const client = await kit.visitor()
      const reply = await client.send('/events?a=1')
      await sleep(30)
      reply.cut()
      await eventually(async () => {
        const { values } = await client.json('/values')
        return Reflect.get(Object(values), 'late') === 'yes'
      }, 'what was set in the stream was not stored')
    },
  },
  {
    id: 'H59',
    level: 'MUST',
    clause:
      'A response with our cookie is `Cache-Control: no-store` and `Vary: Cookie`, whatever the application said; its own cookies stay.',
    title: 'no cache keeps our cookie, and the application keeps its own',
    run: async (kit) => {
      const reply = await kit.client().send('/cookies?a=1')
      await reply.text()
      demandEqual(reply.header('cache-control'), 'no-store', 'Cache-Control')
      const vary = (reply.header('vary') ?? '').split(/, */).toSorted()
      demandEqual(vary, ['Accept', 'Cookie'], 'Vary')
      demandEqual(ours(kit, reply.cookies).length, 1, 'the number of our cookies')
      const others = reply.cookies.filter((line) => line.startsWith('app-'))
      const wanted = ['app-one=1; Path=/', 'app-two=2; Path=/']
      demandEqual(others, wanted, 'the cookies of the application')
    },
  },
  {
    id: 'H60',
    level: 'MUST',
    clause:
      'A handler that throws is answered by the framework with 500; what it did before is stored, a login included.',
    title: 'a failing handler keeps what it did',
    run: async (kit) => {
      const client = kit.client()
      const reply = await client.send('/throw?a=1')
      await reply.text()
      demandEqual(reply.status, 500, 'the status')
      demandEqual(await client.values(), { values: { a: '1' } }, 'the session')
      const login = await client.send('/login-throw?user=ann')
      await login.text()
      demandEqual(login.status, 500, 'the status of the login')
      const wanted = { values: { a: '1' }, user: 'ann' }
      demandEqual(await client.values(), wanted, 'the session after the login')
    },
  },
]

// The redirect is followed the moment its headers have arrived; its body is read afterwards.
async function staleRedirects(client: CheckClient, rounds: number): Promise<number> {
  let stale = 0
  for (let round = 0; round < rounds; round++) {
    const moved = await client.send(`/redirect?round=${round}`)
    const { values } = await client.json(moved.header('location') ?? '/values')
    if (Reflect.get(Object(values), 'round') !== `${round}`) stale++
    await moved.text()
  }
  return stale
}

function ours({ manager }: AdapterHarness, cookies: readonly string[]): readonly string[] {
  return cookies.filter((line) => line.startsWith(`${manager.cookieName}=`))
}

async function eventually(holds: () => Promise<boolean>, found: string): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt++) {
    if (await holds()) return
    await sleep(25)
  }
  demand(false, found)
}
