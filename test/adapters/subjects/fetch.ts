import { getSession, session } from '../../../src/adapters/fetch.ts'
import { failureResponse } from '../../../src/adapters/support/web.ts'
import type { ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { fromProxy, pathIsStatic } from '../support/serve.ts'
import { responseOf, serveFetch, targetOf } from './web.ts'

export function serve({ manager, application, lazy, protocol, proxied }: ServeOptions) {
  const info = ({ headers }: Request) => fromProxy((name) => headers.get(name))
  const proxy = proxied ? { info } : {}
  const withSession = session(manager, {
    ...proxy,
    lazy,
    skip: ({ url }: Request): boolean => pathIsStatic(targetOf(url)),
    onError: failureResponse,
  })
  const handle = withSession(async (request, given) => {
    const opened = () => given ?? getSession(request, manager)
    return responseOf(await application.answer(targetOf(request.url), opened))
  })
  return serveFetch((request) => handle(request), protocol)
}
