import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { Readable } from 'node:stream'
import Koa from 'koa'
import { getSession, session } from '../../../src/adapters/koa.ts'
import type { CheckServer, ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { listening, pathIsStatic } from '../support/serve.ts'

export function serve(options: ServeOptions): Promise<CheckServer> {
  const { manager, application, lazy, protocol, proxied } = options
  const app = new Koa({ proxy: proxied, maxIpsCount: 1 })
  app.silent = true
  app.use(session(manager, { lazy, skip: ({ path }) => pathIsStatic(path) }))
  app.use(async (context) => {
    const given = () => (lazy ? getSession(context, manager) : context.session)
    const { status, headers, body } = await application.answer(context.url, given)
    context.status = status
    for (const [name, value] of headers) context.append(name, value)
    context.body = typeof body === 'object' ? Readable.from(body) : body
    context.status = status
  })
  const handle = app.callback()
  return listening(
    protocol === 'h2'
      ? createHttp2Server((request, response) => void handle(request as never, response as never))
      : createServer((request, response) => void handle(request, response)),
  )
}
