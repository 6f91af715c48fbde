import { Readable } from 'node:stream'
import type { AddressInfo } from 'node:net'
import { All, Controller, Module, Req, Res, StreamableFile } from '@nestjs/common'
import type { INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { Server } from 'node:http'
import { Session, getSession, session } from '../../../src/adapters/nest.ts'
import type { NestRequest } from '../../../src/adapters/nest.ts'
import type { CheckSession } from '../../../src/conformance/adapter-checks/application.ts'
import type { CheckServer, ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { cutting, fromProxy, pathIsStatic } from '../support/serve.ts'

export const serveNestOnExpress = (options: ServeOptions): Promise<CheckServer> =>
  serve(options, new ExpressAdapter(), '{*path}')

export const serveNestOnFastify = (options: ServeOptions): Promise<CheckServer> =>
  serve(options, new FastifyAdapter(options.protocol === 'h2' ? { http2: true } : {}), '*')

interface NativeRequest {
  readonly url: string
  readonly originalUrl: string
}

/** What both platforms have of a reply. */
interface NativeReply {
  status(status: number): unknown
  append?(name: string, value: string): unknown
  header(name: string, value: string): unknown
}

// Decorators are applied as the functions they are: this file is compiled like all others.
function controllerOf({ application, manager, lazy }: ServeOptions, all: string) {
  class Checks {
    files() {
      return 'untouched'
    }

    async all(request: NativeRequest, reply: NativeReply, opened: CheckSession | undefined) {
      const given = () => opened ?? getSession(request, manager)
      const answer = await application.answer(request.originalUrl, given)
      reply.status(answer.status)
      for (const [name, value] of answer.headers) {
        if (reply.append === undefined) reply.header(name, value)
        else reply.append(name, value)
      }
      const { body } = answer
      return typeof body === 'object' ? new StreamableFile(bytesOf(body)) : body
    }
  }
  Controller()(Checks)
  All(`static/${all}`)(Checks.prototype, 'files', descriptorOf(Checks.prototype, 'files'))
  All(all)(Checks.prototype, 'all', descriptorOf(Checks.prototype, 'all'))
  Req()(Checks.prototype, 'all', 0)
  Res({ passthrough: true })(Checks.prototype, 'all', 1)
  if (!lazy) Session()(Checks.prototype, 'all', 2)
  return Checks
}

function descriptorOf(prototype: object, name: string): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(prototype, name) ?? {}
}

// Nest wants bytes in its streams.
function bytesOf(chunks: AsyncIterable<string>): Readable {
  return Readable.from(
    (async function* () {
      for await (const chunk of chunks) yield Buffer.from(chunk)
    })(),
  )
}

async function serve(
  options: ServeOptions,
  platform: ExpressAdapter | FastifyAdapter,
  all: string,
): Promise<CheckServer> {
  const { manager, lazy, proxied } = options
  const skip = ({ originalUrl }: NestRequest) => pathIsStatic(originalUrl)
  // Middleware of Nest on Fastify is given the request of Node.
  const info = ({ headers }: NestRequest) => fromProxy((name) => headers[name]?.toString())
  const onFastify = platform instanceof FastifyAdapter
  const proxy = proxied && onFastify ? { info } : {}
  if (proxied && !onFastify) platform.set('trust proxy', 1)
  class Root {}
  Module({
    imports: [session(manager, { ...proxy, lazy, skip })],
    controllers: [controllerOf(options, all)],
  })(Root)
  const app: INestApplication = await NestFactory.create(Root, platform, { logger: false })
  const server = app.getHttpServer() as Server
  const cut = cutting(server)
  await app.listen(0, '127.0.0.1')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      cut()
      await app.close()
    },
  }
}
