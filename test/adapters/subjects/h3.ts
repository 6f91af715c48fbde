import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { H3, toNodeHandler } from 'h3/node'
import type { H3Event } from 'h3'
import { getSession, session } from '../../../src/adapters/h3.ts'
import type { ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { fromProxy, listening, pathIsStatic } from '../support/serve.ts'
import { streamOf } from './web.ts'

export function serve({ manager, application, lazy, protocol, proxied }: ServeOptions) {
  const info = (event: H3Event) => fromProxy((name) => event.req.headers.get(name))
  const proxy = proxied ? { info } : {}
  const app = new H3({ silent: true })
  app.use(session(manager, { ...proxy, lazy, skip: (event) => pathIsStatic(event.url.pathname) }))
  app.all('/**', async (event) => {
    const given = () => (lazy ? getSession(event, manager) : event.context.session)
    const target = event.url.pathname + event.url.search
    const { status, headers, body } = await application.answer(target, given)
    event.res.status = status
    for (const [name, value] of headers) {
      event.res.headers.append(name, value)
      if (status >= 400) event.res.errHeaders.append(name, value)
    }
    return typeof body === 'object' ? streamOf(body) : (body ?? '')
  })
  const handle = toNodeHandler(app)
  return listening(
    protocol === 'h2' ? createHttp2Server(handle as never) : createServer(handle as never),
  )
}
