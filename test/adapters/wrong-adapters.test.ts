import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { adapterChecks, runAdapterChecks } from '../../src/conformance/adapter-checks.ts'
import type { CheckAnswer, CheckSession } from '../../src/conformance/adapter-checks/application.ts'
import type { CheckServer, ServeOptions } from '../../src/conformance/adapter-checks/harness.ts'
import { listening, pathIsStatic } from './support/serve.ts'

/** What an adapter written by hand may get wrong. */
type Mistake =
  | 'believes whoever says that it is a proxy'
  | 'answers before it has stored'
  | 'answers although it could not store'
  | 'forgets that the headers have left'
  | 'forgets what comes after the headers'
  | 'stores a stream at its end'
  | 'replaces the cookies of the application'
  | 'opens the session of every request'
  | 'stores nothing when a handler fails'
  | 'keeps the session of the request before'

const CAUGHT: Readonly<Record<Mistake, readonly string[]>> = {
  'believes whoever says that it is a proxy': ['G13'],
  'answers before it has stored': ['H55'],
  'answers although it could not store': ['G7', 'G8', 'G12'],
  'forgets that the headers have left': ['H56d'],
  'forgets what comes after the headers': ['H56c', 'G9'],
  'stores a stream at its end': ['H56b'],
  'replaces the cookies of the application': ['H59'],
  'opens the session of every request': ['G3', 'G4'],
  'stores nothing when a handler fails': ['H60'],
  'keeps the session of the request before': ['G11'],
}

describe('the checks find an adapter that', () => {
  test.concurrent.each(Object.entries(CAUGHT))(
    '%s',
    async (mistake, ids) => {
      const serve = serveWith(mistake as Mistake)
      const checks = adapterChecks.filter(({ id }) => ids.includes(id))
      const { results } = await runAdapterChecks(checks, { serve, delay: 5 })
      expect(results.map(({ id, outcome }) => [id, outcome])).toEqual(
        checks.map(({ id }) => [id, 'failed']),
      )
    },
    60_000,
  )
})

function serveWith(mistake: Mistake): (options: ServeOptions) => Promise<CheckServer> {
  return (options) =>
    listening(
      createServer((request, response) => {
        answer(mistake, options, request, response).catch((error: unknown) => {
          if (response.headersSent) return response.destroy()
          response.statusCode = Number(Reflect.get(Object(error), 'status') ?? 500)
          return response.end()
        })
      }),
    )
}

/** What is kept in a module is of all requests. */
let latest: CheckSession

async function answer(
  mistake: Mistake,
  { manager, application, lazy }: ServeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { url: target = '/', headers } = request
  const address = headers['x-forwarded-for']?.toString() ?? ''
  const believed = mistake === 'believes whoever says that it is a proxy' ? { address } : {}
  const careless = mistake === 'opens the session of every request'
  const untouched = pathIsStatic(target) || (lazy && target === '/untouched')
  if (untouched && !careless) return void response.end('untouched')
  latest = await manager.open(headers.cookie, believed)
  const opened = latest
  if (mistake === 'keeps the session of the request before') await setImmediate()
  const session = mistake === 'keeps the session of the request before' ? latest : opened
  const commit = async () => {
    try {
      return await manager.commit(session)
    } catch (error) {
      if (mistake === 'answers although it could not store') return []
      throw error
    }
  }
  let made: CheckAnswer
  try {
    made = await application.answer(target, () => session)
  } catch {
    made = { status: 500, headers: [], body: 'failed' }
    if (mistake === 'stores nothing when a handler fails') return void response.end('failed')
  }
  const early = session.established && mistake === 'answers before it has stored'
  const late = typeof made.body === 'object' && mistake === 'stores a stream at its end'
  const lines = early || late ? [] : await commit()
  response.statusCode = made.status
  for (const [name, value] of made.headers) response.appendHeader(name, value)
  for (const [name, value] of lines) {
    if (mistake === 'replaces the cookies of the application') response.setHeader(name, value)
    else response.appendHeader(name, value)
  }
  if (mistake !== 'forgets that the headers have left') manager.seal(session)
  if (typeof made.body === 'object') for await (const chunk of made.body) response.write(chunk)
  else if (made.body !== undefined) response.write(made.body)
  if (mistake !== 'forgets what comes after the headers') await commit()
  response.end()
}
