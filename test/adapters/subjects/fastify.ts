import { Readable } from 'node:stream'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { getSession, session } from '../../../src/adapters/fastify.ts'
import type { CheckServer, ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { cutting, pathIsStatic } from '../support/serve.ts'

export async function serve(options: ServeOptions): Promise<CheckServer> {
  const { manager, application, lazy, protocol, proxied } = options
  const trustProxy = proxied && '127.0.0.1'
  const app =
    protocol === 'h2'
      ? (fastify({ http2: true, trustProxy }) as unknown as FastifyInstance)
      : fastify({ trustProxy })
  const cut = cutting(app.server)
  await app.register(session(manager, { lazy, skip: ({ url }) => pathIsStatic(url) }))
  app.all('/*', async (request, reply) => {
    const given = () => (lazy ? getSession(request, manager) : request.session)
    const { status, headers, body } = await application.answer(request.url, given)
    reply.code(status)
    for (const [name, value] of headers) reply.header(name, value)
    return reply.send(typeof body === 'object' ? Readable.from(body) : body)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: (app.server.address() as AddressInfo).port,
    close: async () => {
      cut()
      await app.close()
    },
  }
}
