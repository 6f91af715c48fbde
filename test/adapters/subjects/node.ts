import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { Readable } from 'node:stream'
import { getSession, session } from '../../../src/adapters/node.ts'
import type { NodeHttpRequest, NodeHttpResponse } from '../../../src/adapters/node.ts'
import type { ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { listening, pathIsStatic } from '../support/serve.ts'

export function serve({ manager, application, protocol, lazy, proxied }: ServeOptions) {
  const skip = ({ url }: NodeHttpRequest): boolean => pathIsStatic(url)
  const withSession = session(manager, {
    lazy,
    skip,
    trustProxy: proxied,
    onError: () => undefined,
  })
  const handle = withSession(async (request: NodeHttpRequest, response: NodeHttpResponse) => {
    const answer = await application.answer(request.url ?? '/', () => getSession(request, manager))
    response.statusCode = answer.status
    for (const [name, value] of answer.headers)
      (response as ServerResponse).appendHeader(name, value)
    if (typeof answer.body === 'object') Readable.from(answer.body).pipe(response as ServerResponse)
    else (response as ServerResponse).end(answer.body)
  })
  return listening(protocol === 'h2' ? createHttp2Server(handle) : createServer(handle))
}
