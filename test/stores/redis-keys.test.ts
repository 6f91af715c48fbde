import { describe, expect, test } from 'vitest'
import type { SessionId } from '../../src/store.ts'
import { bucketOf, byBucket, Keys, TAGS } from '../../src/stores/redis/keys.ts'
import { newId } from '../support/records.ts'

const SLOTS = 16_384

describe('the buckets', () => {
  test.each([1, 2, 3, 4, 5, 6, 10, 12])('are shared evenly by %i nodes', (nodes) => {
    const shares = Array.from({ length: nodes }, () => 0)
    for (const tag of TAGS) {
      const node = Math.floor((slotOf(`{${tag}}`) * nodes) / SLOTS)
      shares[node] = (shares[node] ?? 0) + 1
    }
    expect(new Set(shares)).toEqual(new Set([TAGS.length / nodes]))
  })

  test('are in the order of their slots, each in the middle third of its part', () => {
    const width = SLOTS / TAGS.length
    for (const [n, tag] of TAGS.entries()) {
      expect(Math.abs(slotOf(tag) - (n + 0.5) * width)).toBeLessThan(width / 6)
    }
  })

  test('have about as many sessions each', () => {
    const counts = TAGS.map(() => 0)
    for (let n = 0; n < 30_000; n++) {
      const bucket = bucketOf(newId())
      counts[bucket] = (counts[bucket] ?? 0) + 1
    }
    // 500 each, with a deviation of 22.
    expect(Math.min(...counts)).toBeGreaterThan(370)
    expect(Math.max(...counts)).toBeLessThan(630)
  })

  test('sessions are grouped by them, in parts', () => {
    const ids = Array.from({ length: 500 }, newId)
    const parts = byBucket(ids, 3)
    expect(parts.flat().toSorted()).toEqual(ids.toSorted())
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(3)
      expect(new Set(part.map(bucketOf)).size).toBe(1)
    }
  })
})

describe('the keys', () => {
  test('of sessions have 44 characters under the usual prefix, for which Redis needs 48 bytes', () => {
    const id = newId()
    const key = new Keys('sojourn:').record(id)
    expect(key).toMatch(/^sojourn:\{\w\w\}[\w-]{32}$/)
    expect(key.endsWith(id.slice(0, 32))).toBe(true)
  })

  test('of sessions are different if their ids are, and short ids are in them whole', () => {
    const keys = new Keys('sojourn:')
    const last = (id: string, character: string): string => `${id.slice(0, 31)}${character}`
    const id = newId()
    const texts = ['', 'a', 'b', 'ab', 'a'.repeat(31), 'a'.repeat(32), last(id, 'a'), last(id, 'b')]
    const records = texts.map((text) => keys.record(text as SessionId))
    expect(new Set(records).size).toBe(texts.length)
    for (const [n, text] of texts.entries()) expect(records[n]?.endsWith(`}${text}`)).toBe(true)
  })

  test.each(['sojourn:', '', 'a{b}:', 'a}b', '}', 'Zoë{é}{'])(
    'of a session have one slot under the prefix %j',
    (prefix) => {
      const keys = new Keys(prefix)
      for (let n = 0; n < 50; n++) {
        const all = keys.all(newId())
        expect(new Set(all.map(slotOf)).size).toBe(1)
        expect(all.every((key) => key.startsWith(prefix))).toBe(true)
      }
    },
  )

  test.each(['alice', '', '}{', '{}', 'x'.repeat(1024), 'Zoë 😀\n', '__proto__'])(
    'of the user %j have one slot, are short, and hide the user',
    (user) => {
      const { sessions, fresh, lock } = new Keys('sojourn:').user(user)
      expect(new Set([sessions, fresh, lock].map(slotOf)).size).toBe(1)
      for (const key of [sessions, fresh, lock]) {
        expect(key.length).toBe('sojourn:u:{}'.length + 22)
        expect(key).toMatch(/^sojourn:[unl]:\{[\w-]+\}$/)
      }
    },
  )

  test('of different users are different', () => {
    const users = ['a', 'A', 'a ', 'a:', '', 'b']
    const keys = new Keys('sojourn:')
    expect(new Set(users.map((user) => keys.user(user).sessions)).size).toBe(users.length)
  })
})

/** The slot of a key as the specification of Redis Cluster has it: CRC16 of the tag, or of all. */
function slotOf(key: string): number {
  const bytes = Buffer.from(key)
  const start = bytes.indexOf('{')
  const end = start < 0 ? -1 : bytes.indexOf('}', start + 1)
  return crc16(end > start + 1 ? bytes.subarray(start + 1, end) : bytes) % SLOTS
}

function crc16(bytes: Buffer): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
    }
  }
  return crc
}

test('the slots of this test are those of Redis', () => {
  expect(slotOf('123456789')).toBe(0x31c3 % SLOTS)
  expect(slotOf('{user1000}.following')).toBe(slotOf('user1000'))
})
