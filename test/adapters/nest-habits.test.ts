import type { Server } from 'node:http'
import { Catch, Controller, Get, Module, Res, UseGuards } from '@nestjs/common'
import type { ArgumentsHost, INestApplication } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import supertest from 'supertest'
import { afterEach, describe, expect, test } from 'vitest'
import { Session, SessionGuard, session } from '../../src/adapters/nest.ts'
import { SessionError } from '../../src/errors.ts'
import { cookieOf, testSessions } from './support/sessions.ts'

let app: INestApplication | undefined
afterEach(() => app?.close())

class Pages {
  login(opened: Session) {
    opened.login('ann')
    return { welcome: 'ann' }
  }
  account(opened: Session) {
    return { user: opened.user }
  }
  raw(opened: Session, response: { end(text: string): void }) {
    opened.set('a', 1)
    response.end('raw')
  }
}

// Decorators are applied as the functions they are: this file is compiled like all others.
Controller()(Pages)
for (const name of ['login', 'account', 'raw'] as const) {
  const descriptor = Object.getOwnPropertyDescriptor(Pages.prototype, name) ?? {}
  Get(name)(Pages.prototype, name, descriptor)
  Session()(Pages.prototype, name, 0)
  if (name === 'account') UseGuards(SessionGuard)(Pages.prototype, name, descriptor)
  if (name === 'raw') Res()(Pages.prototype, name, 1)
}

interface Reply {
  status(status: number): { json(body: unknown): void }
}

class OutageFilter {
  catch(error: SessionError, host: ArgumentsHost) {
    host.switchToHttp().getResponse<Reply>().status(error.status).json({ code: error.code })
  }
}
Catch(SessionError)(OutageFilter)

async function start(filter?: OutageFilter) {
  const { sessions, store } = testSessions()
  class Root {}
  Module({ imports: [session(sessions)], controllers: [Pages] })(Root)
  const testing = await Test.createTestingModule({ imports: [Root] }).compile()
  app = testing.createNestApplication({ logger: false })
  if (filter !== undefined) app.useGlobalFilters(filter)
  await app.listen(0, '127.0.0.1')
  return { agent: supertest(app.getHttpServer() as Server), store }
}

describe('in a testing module of Nest', () => {
  test('the parameter is the session, and the guard wants a user', async () => {
    const { agent } = await start()
    await agent.get('/account').expect(401)
    const login = await agent.get('/login').expect(200)
    const cookie = cookieOf(login.headers['set-cookie'])
    const account = await agent.get('/account').set('Cookie', cookie)
    expect([account.status, account.body]).toEqual([200, { user: 'ann' }])
  })

  test('an error of the store goes to the exception filters', async () => {
    const { agent, store } = await start(new OutageFilter())
    store.down = true
    for (const path of ['/login', '/raw']) {
      const { status, body } = await agent.get(path)
      expect([status, body]).toEqual([503, { code: 'ERR_SESSION_STORE' }])
    }
  })

  test('without a filter the answer is 503 and says nothing of the cause', async () => {
    const { agent, store } = await start()
    store.down = true
    const answer = await agent.get('/login').expect(503)
    expect(answer.body).toEqual({ statusCode: 503, message: 'Service Unavailable' })
    expect(answer.headers).not.toHaveProperty('set-cookie')
  })
})
