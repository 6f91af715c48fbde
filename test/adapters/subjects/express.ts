import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import express from 'express'
import express4 from 'express4'
import type { Express, NextFunction, Request, Response } from 'express'
import { getSession, session } from '../../../src/adapters/express.ts'
import type { CheckServer, ServeOptions } from '../../../src/conformance/adapter-checks/harness.ts'
import { listening, pathIsStatic } from '../support/serve.ts'

export const serveExpress5 = (options: ServeOptions) => serve(express(), options)
export const serveExpress4 = (options: ServeOptions) => serve(express4(), options)

function serve(app: Express, options: ServeOptions): Promise<CheckServer> {
  const { manager, application, lazy, proxied } = options
  app.set('etag', false)
  app.set('trust proxy', proxied ? 1 : false)
  app.use(session(manager, { lazy, skip: ({ path }) => pathIsStatic(path) }))
  app.use((request, response, next) => {
    const given = () => (lazy ? getSession(request, manager) : request.session)
    application.answer(request.originalUrl, given).then((answer) => send(response, answer), next)
  })
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    const status: unknown = Reflect.get(error, 'status')
    response.status(typeof status === 'number' ? status : 500).send(error.name)
  })
  return listening(createServer(app))
}

function send(
  response: Response,
  { status, headers, body }: Awaited<ReturnType<ServeOptions['application']['answer']>>,
): void {
  response.status(status)
  for (const [name, value] of headers) response.append(name, value)
  if (typeof body === 'object') Readable.from(body).pipe(response)
  else if (body === undefined) response.end()
  else response.send(body)
}
