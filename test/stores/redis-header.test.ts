import { describe, expect, test } from 'vitest'
import type { SessionRecord } from '../../src/store.ts'
import { Keys } from '../../src/stores/redis/keys.ts'
import { pack, unpack } from '../../src/stores/redis/packed.ts'
import { HOUR, newChange, newId, newRecord, withCode } from '../support/records.ts'
import { RedisScene } from '../support/redis-scene.ts'

const NOW = Date.now()
const CORRUPT = withCode('ERR_SESSION_CORRUPT')

describe('the header of a record', () => {
  test('what is as usual takes no place, and times after the first three little', () => {
    const [createdAt, user] = [NOW, 'alice']
    const times = { createdAt, expiresAt: NOW + HOUR, deadline: NOW + 24 * HOUR }
    const header = `s1${NOW + HOUR}${NOW + 24 * HOUR}${NOW}`
    const headerOf = (fields: Partial<SessionRecord>): string | undefined =>
      pack(newRecord({ ...times, renewedAt: createdAt, ...fields })).split('\0')[0]
    expect(headerOf({})).toBe(`${header}0`)
    expect(headerOf({ generation: 2, fence: 2 })).toBe(`${header}2`)
    const login = { user, authenticatedAt: NOW + 5000, renewedAt: NOW + 5000 }
    expect(headerOf({ generation: 1, fence: 1, ...login })).toBe(`${header}1,,5000,,5000`)
    expect(headerOf({ generation: 2, fence: 1, rememberFor: 9 })).toBe(`${header}2,1,,9,`)
    expect(headerOf({ user, authenticatedAt: NOW })).toBe(`${header}0,,0,,`)
    expect(headerOf({ user, authenticatedAt: NOW - 60 })).toBe(`${header}0,,-60,,`)
  })

  test.each(['', '1,,5,', '1,,5,,5,', '1,,x,,', '1,-1,,,', '1,,-,,'])(
    'is corrupt with %j after its times',
    (rest) => {
      expect(() => unpack(headed(rest))).toThrow(CORRUPT)
    },
  )
})

describe('the scripts', () => {
  const scene = new RedisScene()

  test.each(['0,,5', '0,,5,,5,6', '0,-,5,,'])(
    'a record whose header has %j after its times is not written to',
    async (rest) => {
      const id = newId()
      const key = new Keys('sojourn:').record(id)
      const text = headed(rest)
      await scene.client.set(key, text, { PX: HOUR })
      await expect(scene.store.commit(id, newChange({ rotate: 'fence' }))).rejects.toEqual(CORRUPT)
      expect(await scene.client.get(key)).toBe(text)
    },
  )
})

/** A record with that after its first three times. */
function headed(rest: string): string {
  return pack(newRecord({ user: 'alice' })).replace(/(?<=^s1\d{39})\d/, rest)
}
