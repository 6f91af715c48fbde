import { connect } from 'node:http2'
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { hold } from '../../src/adapters/hold.ts'
import type { GateHooks } from '../../src/adapters/hold.ts'
import { COOKIE, NOTHING, Servers, later } from './support/gate.ts'
import { scenarios } from './support/responses.ts'
import type { Scenario } from './support/responses.ts'

const servers = new Servers()
const clients: ClientHttp2Session[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await servers.close()
})

interface Seen {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly log: readonly string[]
}

function get(port: number, method: string): Promise<Omit<Seen, 'log'>> {
  const client = connect(`http://127.0.0.1:${port}`)
  clients.push(client)
  return new Promise((resolve, reject) => {
    const stream = client.request({ ':path': '/', ':method': method })
    let headers: IncomingHttpHeaders = {}
    let body = ''
    stream.setEncoding('utf8')
    stream.on('response', (given) => {
      headers = Object.assign(given, { date: 'now' })
    })
    stream.on('data', (text: string) => (body += text))
    stream.on('error', reject)
    stream.on('end', () => resolve({ headers, body }))
    stream.end()
  })
}

async function play(scenario: Scenario, hooks: GateHooks | undefined): Promise<Seen> {
  const log: string[] = []
  const port = await servers.http2((response) => {
    if (hooks !== undefined) hold(response, hooks)
    return scenario.handle(response as unknown as ServerResponse, (entry) => log.push(entry))
  })
  return { ...(await get(port, scenario.method ?? 'GET')), log }
}

const both = scenarios.filter(({ http1 }) => http1 === undefined)

describe('over HTTP/2', () => {
  test.each(both)('a gate lets $title pass, with and without a cookie', async (scenario) => {
    const without = await play(scenario, undefined)
    for (const before of [() => NOTHING, () => later(0, NOTHING), () => later(20, NOTHING)]) {
      expect(await play(scenario, { before })).toEqual(without)
    }
    const cookies = [...(without.headers['set-cookie'] ?? []), 'ours=1']
    const ours = { 'set-cookie': cookies, 'cache-control': 'no-store', vary: 'Cookie' }
    for (const before of [() => COOKIE, () => later(0), () => later(20)]) {
      const { headers, ...rest } = await play(scenario, { before })
      expect({ ...headers }).toEqual({ ...without.headers, ...ours })
      expect(rest).toEqual({ body: without.body, log: without.log })
    }
  })
})
