import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { getRequestListener } from '@hono/node-server'
import type { CheckAnswer } from '../../../src/conformance/adapter-checks/application.ts'
import type { CheckServer, ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { listening } from '../support/serve.ts'

/**
 * Serves a fetch-style handler over Node.
 *
 * @param responses - `light` replaces the global classes, as `serve` of `@hono/node-server` does
 */
export function serveFetch(
  handle: (request: Request) => Response | Promise<Response>,
  protocol: ServeOptions['protocol'],
  responses: 'native' | 'light' = 'native',
): Promise<CheckServer> {
  const listener = getRequestListener(handle, { overrideGlobalObjects: responses === 'light' })
  return listening(
    protocol === 'h2'
      ? createHttp2Server((request, response) => void listener(request, response))
      : createServer((request, response) => void listener(request, response)),
  )
}

/** The target of a request, as it came. */
export function targetOf(url: string): string {
  return url.slice(url.indexOf('/', url.indexOf('//') + 2))
}

/** An answer as a Response. */
export function responseOf({ status, headers, body }: CheckAnswer): Response {
  const given = typeof body === 'object' ? streamOf(body) : (body ?? null)
  return new Response(given, { status, headers: headers.map(([name, value]) => [name, value]) })
}

/** Text chunks as a stream of bytes that is read as fast as it is written. */
export function streamOf(chunks: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}
