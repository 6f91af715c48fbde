import { Elysia } from 'elysia'
import { getSession, session } from '../../../src/adapters/elysia.ts'
import type { ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { fromProxy, pathIsStatic } from '../support/serve.ts'
import { responseOf, serveFetch, targetOf } from './web.ts'

export function serve({ manager, application, lazy, protocol, proxied }: ServeOptions) {
  const info = ({ headers }: Request) => fromProxy((name) => headers.get(name))
  const proxy = proxied ? { info } : {}
  const skip = ({ url }: Request): boolean => pathIsStatic(targetOf(url))
  const app = lazy
    ? new Elysia()
        .use(session(manager, { ...proxy, lazy, skip }))
        .all('/*', async ({ request }) =>
          responseOf(
            await application.answer(targetOf(request.url), () => getSession({ request }, manager)),
          ),
        )
    : new Elysia()
        .use(session(manager, { ...proxy, skip }))
        .all('/*', async ({ request, session: opened }) =>
          responseOf(await application.answer(targetOf(request.url), () => opened)),
        )
  return serveFetch((request) => app.handle(request), protocol)
}
