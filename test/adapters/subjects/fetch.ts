import { getSession, session } from '../../../src/adapters/fetch.ts'
import { failureResponse } from '../../../src/adapters/support/web.ts'
import type { ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { pathIsStatic } from '../support/serve.ts'
import { responseOf, serveFetch, targetOf } from './web.ts'

export function serve({ manager, application, lazy, protocol }: ServeOptions) {
  const withSession = session(manager, {
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
