/** node:http without a framework. */

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { getIronSession } from 'iron-session'
import { Redis } from 'ioredis'
import { clusterClient, defaultClient, fastClient } from './redis.js'
import { bareCookie, redisUrl, sampleValues, secret, nextView, workOf } from './settings.js'
import { before, load, manager, serve } from './sojourn.js'

export const variants = {
  bare: () => createServer(bare),
  raw: async () => raw(await fastClient()),
  'raw-defaults': async () => raw(await defaultClient()),
  'raw-cluster': async () => raw(await clusterClient()),
  'raw-ioredis': () => raw(new Redis(redisUrl)),
  core,
  sojourn: () => sojourn('redis'),
  'sojourn-lean': () => sojourn('redis-lean'),
  'sojourn-before': () => sojourn('redis', before),
  'sojourn-cluster': () => sojourn('cluster'),
  'sojourn-embedded': () => sojourn('embedded'),
  'sojourn-embedded-before': () => sojourn('embedded', before),
  'sojourn-memory': () => sojourn('memory'),
  'iron-session': () => createServer(iron),
}

function bare(request, response) {
  const { kind } = workOf(request.url)
  if (kind === 'begin') response.setHeader('Set-Cookie', bareCookie)
  response.end('alice')
}

// Cookie and key are as long as those of sojourn.
const RAW_KEY = 44

/** One GET for a request that reads, and a SET for one that writes: what no session can be cheaper than. */
function raw(client) {
  return createServer(async (request, response) => {
    const { kind, bytes } = workOf(request.url)
    if (kind === 'begin') {
      const name = randomBytes(57).toString('hex')
      await client.set(name.slice(0, RAW_KEY), JSON.stringify(sampleValues(bytes)))
      response.setHeader('Set-Cookie', `id=${name}`)
      return response.end('begun')
    }
    const key = request.headers.cookie?.slice(3, 3 + RAW_KEY)
    if (key === undefined) return response.end('nobody')
    const text = await client.get(key)
    if (kind === 'write') await client.set(key, text)
    response.end('alice')
  })
}

async function sojourn(engine, dist) {
  const { session } = await load('adapters/node', dist)
  const withSession = session(await manager(engine, dist))
  return createServer(
    withSession((request, response, current) => {
      response.end(serve(current, workOf(request.url)))
    }),
  )
}

async function iron(request, response) {
  const { kind, bytes } = workOf(request.url)
  const session = await getIronSession(request, response, {
    cookieName: 'iron',
    password: secret,
  })
  if (kind === 'begin') Object.assign(session, sampleValues(bytes))
  if (kind === 'write') session.views = nextView()
  if (kind !== 'read') await session.save()
  response.end(session.login)
}

/** sojourn without its adapter: what the two calls for a request cost by themselves. */
async function core() {
  const sessions = await manager('redis')
  return createServer(async (request, response) => {
    const session = await sessions.open(request.headers.cookie)
    const text = serve(session, workOf(request.url))
    const lines = await sessions.commitNow(session)
    for (const [name, value] of lines) response.appendHeader(name, value)
    response.end(text)
  })
}
