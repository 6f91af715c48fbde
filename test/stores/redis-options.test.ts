import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { RedisStore } from '../../src/stores/redis.ts'
import { newId, newRecord, withCode } from '../support/records.ts'
import { freePort, startRedis } from '../support/redis.ts'
import type { RedisServer } from '../support/redis.ts'

describe('what is refused, with what to do', () => {
  const cases: readonly [string, unknown, object | undefined, string][] = [
    ['nothing', undefined, undefined, 'it needs a connected client, { url } or { host }'],
    ['an empty object', {}, undefined, 'it needs a connected client, { url } or { host }'],
    ['a url as text', 'redis://localhost', undefined, 'it needs a connected client, { url }'],
    ['a misspelt setting', { hots: 'localhost' }, undefined, "Did you mean 'host'?"],
    ['a misspelt option', { host: 'localhost' }, { prefx: 'a:' }, "Did you mean 'prefix'?"],
    [
      'url and host',
      { url: 'redis://a', host: 'b' },
      undefined,
      'url and host contradict each other',
    ],
    ['another protocol', { url: 'http://a' }, undefined, "url must begin with 'redis://'"],
    ['no url', { url: ':secret@' }, undefined, "url must begin with 'redis://'"],
    ['a path that is no database', { url: 'redis://a/b' }, undefined, 'db must be the number'],
    ['a port that is none', { host: 'a', port: 70_000 }, undefined, 'port must be a number'],
    [
      'no connections',
      { host: 'a', maxConnections: 0 },
      undefined,
      'maxConnections must be at least 1',
    ],
    ['a password that is no text', { host: 'a', password: 1 }, undefined, 'password must be text'],
    ['a username that is no text', { host: 'a', username: 1 }, undefined, 'username must be text'],
    [
      'tls that is text',
      { host: 'a', tls: 'yes' },
      undefined,
      'tls must be true, false or options',
    ],
    ['a deadline of nothing', { host: 'a' }, { deadline: 0 }, 'deadline must be a duration'],
    ['a deadline without a unit', { host: 'a' }, { deadline: '2' }, 'deadline must be a duration'],
    ['a prefix that is no text', { host: 'a' }, { prefix: 7 }, 'prefix must be text'],
    ['a prefix that opens a tag', { host: 'a' }, { prefix: 'a{b:' }, 'prefix must not contain {'],
    ['a prefix with an empty tag', { host: 'a' }, { prefix: 'a{}' }, 'prefix must not contain {'],
    ['an index that is no choice', { host: 'a' }, { userIndex: 1 }, 'userIndex must be true'],
    ['a registry that is no choice', { host: 'a' }, { registry: 'no' }, 'registry must be true'],
  ]

  test.each(cases)('%s', (_what, source, options, message) => {
    const make = (): unknown => new RedisStore(source as object, options)
    let error: unknown
    try {
      make()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toEqual(withCode('ERR_SESSION_OPTION', message))
    expect(String(error)).not.toContain('secret')
  })
})

describe('settings', () => {
  let server: RedisServer
  let directory: string
  let securePort: number

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sojourn-tls-'))
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const subject = [
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ]
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ],
      { stdio: 'ignore' },
    )
    securePort = await freePort()
    const tls = [
      '--tls-port',
      `${securePort}`,
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      '--tls-auth-clients',
      'no',
    ]
    const users = [
      '--requirepass',
      'pass:w/rd',
      '--user',
      ...'shop on >s3cret ~shop:* +@all'.split(' '),
    ]
    server = await startRedis({ args: [...tls, ...users] })
  })

  afterAll(async () => {
    await server?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  const works = async (store: RedisStore): Promise<boolean> => {
    await store.ready()
    const id = newId()
    await store.create(id, newRecord())
    const record = await store.load(id)
    await store.close()
    return record?.values.get('a') === '"1"'
  }

  test('host, port, password and a limit of connections as pycket has it', async () => {
    const { host, port } = server
    expect(
      await works(
        new RedisStore({ host, port, password: 'pass:w/rd', db: 3, maxConnections: 2 ** 64 }),
      ),
    ).toBe(true)
  })

  test('a url with everything in it', async () => {
    expect(
      await works(
        new RedisStore({ url: `redis://default:pass%3Aw%2Frd@127.0.0.1:${server.port}/2` }),
      ),
    ).toBe(true)
  })

  test('a user whose keys are limited to the prefix', async () => {
    const { host, port } = server
    const login = { host, port, username: 'shop', password: 's3cret' }
    expect(await works(new RedisStore(login, { prefix: 'shop:' }))).toBe(true)
    const other = new RedisStore(login)
    await expect(other.load(newId())).rejects.toEqual(withCode('ERR_SESSION_STORE', 'NOPERM'))
    await other.close()
  })

  test('a wrong password is told, and not repeated', async () => {
    const wrong = new RedisStore({ host: server.host, port: server.port, password: 'wr0ng' })
    const error: unknown = await wrong.ready().catch((thrown: unknown) => thrown)
    expect(error).toEqual(
      withCode('ERR_SESSION_STORE', '(WRONGPASS). It does not accept this username and password.'),
    )
    expect(String(error)).not.toContain('wr0ng')
    const none = new RedisStore({ host: server.host, port: server.port })
    await expect(none.ready()).rejects.toEqual(withCode('ERR_SESSION_STORE', 'It wants a password'))
    await Promise.all([wrong.close(), none.close()])
  })

  test('TLS, with the certificate checked', async () => {
    const ca = await readFile(join(directory, 'cert.pem'))
    const url = `rediss://:pass%3Aw%2Frd@localhost:${securePort}`
    expect(await works(new RedisStore({ url, tls: { ca } }))).toBe(true)
    const unsure = new RedisStore({ url })
    await expect(unsure.ready()).rejects.toEqual(withCode('ERR_SESSION_STORE', 'CERT'))
    await unsure.close()
  })

  test('two prefixes do not meet', async () => {
    const login = { host: server.host, port: server.port, password: 'pass:w/rd' }
    const [one, two] = [
      new RedisStore(login, { prefix: 'one:' }),
      new RedisStore(login, { prefix: 'two:' }),
    ]
    const id = newId()
    expect(await one.create(id, newRecord())).toBe(true)
    expect(await two.load(id)).toBeUndefined()
    expect(await two.destroy(id)).toBe(false)
    await Promise.all([one.close(), two.close()])
  })
})

test('a store that was never used, or is closed twice, leaves nothing behind', async () => {
  const store = new RedisStore({ host: '127.0.0.1', port: 1 })
  await store.close()
  await store.close()
  await expect(store.ready()).rejects.toEqual(withCode('ERR_SESSION_CLOSED'))
})

test('without the client library, the first call says what to install', async () => {
  vi.doMock('redis', () => {
    throw new Error("Cannot find package 'redis'")
  })
  const store = new RedisStore({ host: '127.0.0.1' })
  await expect(store.ready()).rejects.toEqual(withCode('ERR_SESSION_OPTION', 'npm install redis'))
  await store.close()
  vi.doUnmock('redis')
})
