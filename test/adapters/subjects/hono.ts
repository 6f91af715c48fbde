import { Hono } from 'hono'
import type { Context } from 'hono'
import { stream } from 'hono/streaming'
import { statusOf } from '../../../src/adapters/hold/failure.ts'
import { getSession, session } from '../../../src/adapters/hono.ts'
import type { ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { fromProxy, pathIsStatic } from '../support/serve.ts'
import { responseOf, serveFetch, targetOf } from './web.ts'

export function serve({ manager, application, lazy, protocol, proxied }: ServeOptions) {
  const info = (c: Context) => fromProxy((name) => c.req.header(name))
  const proxy = proxied ? { info } : {}
  const skip = (c: { req: { path: string } }): boolean => pathIsStatic(c.req.path)
  const app = new Hono().use(session(manager, { ...proxy, lazy, skip })).all('*', async (c) => {
    const given = () => (lazy ? getSession(c, manager) : c.var.session)
    const answer = await application.answer(targetOf(c.req.url), given)
    const { body, headers } = answer
    if (typeof body !== 'object') return responseOf(answer)
    for (const [name, value] of headers) c.header(name, value)
    return stream(c, async (writing) => {
      for await (const chunk of body) await writing.write(chunk)
    })
  })
  app.onError((error, c) => c.text(error.name, statusOf(error) as 500))
  return serveFetch((request) => app.fetch(request), protocol, 'light')
}
