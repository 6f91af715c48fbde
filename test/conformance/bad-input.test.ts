import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { SessionManager } from '../../src/manager.ts'
import type { SessionStore } from '../../src/store.ts'
import { withCode } from '../support/records.ts'
import { SECRET } from '../support/stage.ts'
import { Visitor } from '../support/visitor.ts'
import { type EngineName, engines, type StartedEngine } from './engines.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const ENGINES = [
  ...(['memory', 'embedded', 'sqlite', 'sqlite with encrypted values'] as const),
  ...(['redis', 'memcached', 'postgres'] as const),
]

/** Names and users that mean something to some engine, language or format. */
const STRANGE = [
  ...['__proto__', 'constructor', 'toString', '{}', '{a}:b', ':', '.', '..', '*', '%00', "'; --"],
  ...[
    'new\nline',
    'tab\t',
    '\\',
    '"',
    '\u0001',
    '\u007f',
    '\uFEFF',
    '\uFFFF',
    '👋🏽',
    'é',
    'e\u0301',
  ],
]

const LONGEST = 1024
const halfPair = '\uD800'

describe.each(ENGINES)('%s', (name) => {
  let engine: StartedEngine
  let stores: readonly SessionStore[]
  let managers: readonly SessionManager[]

  beforeAll(async () => {
    engine = await engines[name satisfies EngineName].start()
    const store = await engine.options.store()
    const shared = store.capabilities.shared !== 'process'
    stores = shared ? [store, await engine.options.store()] : [store]
    managers = stores.map((each) => new SessionManager({ secret: SECRET, store: each }))
  })

  afterAll(async () => {
    await Promise.all((stores ?? []).map((store) => store.close?.()))
    await engine?.stop()
  })

  function visitor(cookie?: string, n = 0): Visitor {
    return new Visitor(managers[n % managers.length]!, cookie)
  }

  test('every well-formed name is a name like any other, as long as it may be', async () => {
    const names = ['', ...STRANGE.filter((each) => each !== '\u0001'), 'n'.repeat(LONGEST)]
    const alice = visitor()
    await alice.request((session) => names.forEach((each, n) => session.set(each, n)))
    const { result } = await visitor(alice.cookie, 1).request((session) => new Map(session))
    expect(result).toEqual(new Map(names.map((each, n) => [each, n])))
    await alice.request((session) => names.forEach((each) => session.delete(each)))
    const left = await visitor(alice.cookie, 1).request((session) => [...session.keys()])
    expect(left.result).toEqual([])
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('every well-formed user is a user like any other, of a kilobyte too', async () => {
    const users = [...STRANGE, '愛'.repeat(341), ':{}*'.repeat(256)]
    for (const user of users) {
      const alice = visitor()
      await alice.request((session) => session.login(user))
      const { result } = await visitor(alice.cookie, 1).request((session) => session.user)
      expect(result).toBe(user)
      if (!managers[0]!.capabilities.userIndex) continue
      const found = await managers[0]!.sessionsOf(user)
      expect(found).toHaveLength(1)
      await managers[0]!.revokeUser(user)
      expect(
        (await visitor(alice.cookie).request((session) => session.user)).result,
      ).toBeUndefined()
    }
  })

  test('what is not well formed is refused where it is said, and the session stays as it was', async () => {
    const alice = visitor()
    await alice.request((session) => session.set('a', 1))
    await alice.request((session) => {
      const refused = withCode('ERR_SESSION_NAME')
      for (const bad of ['\0', `a\0`, halfPair, 'n'.repeat(LONGEST + 1)])
        expect(() => session.set(bad, 1)).toThrow(refused)
      expect(() => session.set('a', 'x'.repeat(10_000_000))).toThrow(
        withCode('ERR_SESSION_TOO_LARGE'),
      )
      for (const bad of ['', '\0', halfPair, 'u'.repeat(LONGEST + 1)])
        expect(() => session.login(bad)).toThrow(withCode('ERR_SESSION_VALUE'))
    })
    const { result } = await visitor(alice.cookie, 1).request((session) => [...session])
    expect(result).toEqual([['a', 1]])
  })

  test('values with any character come back, but for halves of a pair', async () => {
    const alice = visitor()
    const value = { '\0': ['\0', '\uFFFF', { constructor: 1 }], big: 2n ** 70n }
    await alice.request((session) => {
      session.set('value', value)
      const refused = withCode('ERR_SESSION_VALUE', 'toWellFormed()')
      expect(() => session.set('value', { a: [halfPair] })).toThrow(refused)
    })
    const { result } = await visitor(alice.cookie, 1).request((session) => session.get('value'))
    expect(result).toEqual(value)
  })
})
