/** node:http without a framework. */

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { getIronSession } from 'iron-session'
import { Redis } from 'ioredis'
import { defaultClient, fastClient } from './redis.js'
import { redisUrl, sampleValues, secret, nextView, workOf } from './settings.js'
import { before, load, manager, serve } from './sojourn.js'

export const variants = {
  bare: () => createServer(bare),
  raw: async () => raw(await fastClient()),
  'raw-defaults': async () => raw(await defaultClient()),
  'raw-ioredis': () => raw(new Redis(redisUrl)),
  core: core,
  sojourn: () => sojourn('redis'),
  'sojourn-before': () => sojourn('redis', before),
  'sojourn-embedded': () => sojourn('embedded'),
  'sojourn-embedded-before': () => sojourn('embedded', before),
  'sojourn-memory': () => sojourn('memory'),
  'iron-session': () => createServer(iron),
}

// The cookie is as long as one of sojourn, so that reading the headers costs the same.
function bare(request, response) {
  const { kind } = workOf(request.url)
  if (kind === 'begin') response.setHeader('Set-Cookie', `__Host-Http-id=${'a'.repeat(103)}`)
  response.end('alice')
}

/** One GET for a request that reads, and a SET for one that writes: what no session can be cheaper than. */
function raw(client) {
  return createServer(async (request, response) => {
    const { kind, bytes } = workOf(request.url)
    if (kind === 'begin') {
      const key = `raw:${randomBytes(52).toString('hex')}`
      await client.set(key, JSON.stringify(sampleValues(bytes)))
      response.setHeader('Set-Cookie', `id=${key}`)
      return response.end('begun')
    }
    const key = request.headers.cookie?.slice(3)
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
    const lines = sessions.commitNow(session) ?? (await sessions.commit(session))
    for (const [name, value] of lines) response.appendHeader(name, value)
    response.end(text)
  })
}
