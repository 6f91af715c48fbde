import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseServer, parseAddress } from '../../src/stores/memcached/address.ts'
import { ReplyReader, type Reply } from '../../src/stores/memcached/replies.ts'
import { MemcachedStore } from '../../src/stores/memcached.ts'
import { newId, withCode } from '../support/records.ts'

describe('answers', () => {
  /** What a reader makes of bytes that arrive in pieces of these sizes, over and over. */
  function read(bytes: Buffer, sizes: readonly number[]): Reply[] {
    const replies: Reply[] = []
    const reader = new ReplyReader((reply) => replies.push(reply))
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1
      reader.push(bytes.subarray(at, at + size))
      at += size
    }
    return replies
  }

  const value = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  const hit = value.map((bytes) => ({
    text: Buffer.concat([Buffer.from(`VA ${bytes.length} c7 O1\r\n`), bytes, Buffer.from('\r\n')]),
    reply: { words: ['VA', String(bytes.length), 'c7', 'O1'], value: bytes },
  }))
  const line = fc.constantFrom('HD O1', 'EN', 'NF O22', 'SERVER_ERROR out of memory', 'STAT a b')
  const other = line.map((text) => ({
    text: Buffer.from(`${text}\r\n`),
    reply: { words: text.split(' ') },
  }))

  test('are understood however they arrive', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 })
    const answers = fc.array(fc.oneof(hit, other), { maxLength: 12 })
    fc.assert(
      fc.property(answers, sizes, (all, pieces) => {
        const bytes = Buffer.concat(all.map(({ text }) => text))
        expect(read(bytes, pieces)).toEqual(all.map(({ reply }) => reply))
      }),
    )
  })

  test.each(['x'.repeat(3_000), 'VA many c1\r\n', 'VA -1\r\n', 'VA 3 c1\r\nabcdef\r\n'])(
    'that are no answers of memcached are refused (%#)',
    (text) => {
      expect(() => read(Buffer.from(text), [10])).toThrow(RangeError)
    },
  )
})

describe('which server keeps a session', () => {
  const named = (...names: string[]) =>
    names.map((name) => parseAddress(name)) as [ReturnType<typeof parseAddress>]
  const four = named('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4')
  const ids = Array.from({ length: 8_000 }, () => randomBytes(32).toString('base64url'))

  test('is the same in every version', () => {
    const of = (id: string): string => chooseServer(four, id).name
    const fixed = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter) => of(letter.repeat(43)))
    expect(fixed.map((name) => name.replace('10.0.0.', '').replace(':11211', '')))
      .toMatchInlineSnapshot(`
      [
        "2",
        "3",
        "2",
        "4",
        "4",
        "1",
        "3",
        "1",
      ]
    `)
  })

  test('each keeps about as many', () => {
    const counts = new Map<string, number>()
    for (const id of ids) {
      const { name } = chooseServer(four, id)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    for (const { name } of four) expect(counts.get(name)).toBeGreaterThan(1_800)
  })

  test('one that is taken away moves its own sessions and no others', () => {
    const three = named('10.0.0.1', '10.0.0.2', '10.0.0.4')
    const moved = ids.filter((id) => chooseServer(four, id).name !== chooseServer(three, id).name)
    expect(moved.every((id) => chooseServer(four, id).name === '10.0.0.3:11211')).toBe(true)
  })
})

describe('a server that is not what it should be', () => {
  async function against(answer: (line: string) => string): Promise<unknown> {
    const server = createServer((socket) => converse(socket, answer)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const store = new MemcachedStore({ servers: [`127.0.0.1:${port}`], deadline: '500ms' })
    const outcome = await store.load(newId()).catch((error: unknown) => error)
    await store.close()
    await ended(server)
    return outcome
  }

  function converse(socket: Socket, answer: (line: string) => string): void {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) {
        socket.write(line === 'stats settings' ? 'END\r\n' : answer(line))
      }
    })
  }

  async function ended(server: Server): Promise<void> {
    server.close()
    await once(server, 'close')
  }

  const broken = withCode('ERR_SESSION_STORE')

  test('one that answers the question of another is not believed', async () => {
    expect(await against(() => 'VA 1 c1 O999\r\nx\r\n')).toEqual(broken)
  })

  test('one that speaks another protocol is an error', async () => {
    expect(await against(() => 'HTTP/1.1 400 Bad Request\r\n\r\n')).toEqual(broken)
    expect(await against(() => 'ERROR\r\n')).toEqual(withCode('ERR_SESSION_STORE', '1.6'))
    expect(await against(() => 'VA nothing\r\n')).toEqual(broken)
  })

  test('one that says nothing is an error by the deadline', async () => {
    expect(await against(() => '')).toEqual(withCode('ERR_SESSION_TIMEOUT'))
  })

  test('one that misses answers with a miss', async () => {
    expect(await against(() => 'EN\r\n')).toBeUndefined()
  })
})
