import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyChange } from '../../src/change.ts'
import type { SessionChange, SessionRecord } from '../../src/store.ts'
import { Keys } from '../../src/stores/redis/keys.ts'
import { pack, unpack } from '../../src/stores/redis/packed.ts'
import { HOUR, newId, newRecord, withCode } from '../support/records.ts'
import { RedisScene } from '../support/redis-scene.ts'

const NOW = Date.now()

// Text that looks like the format, and text that is long in bytes and short in characters.
const unit = fc.oneof(
  fc.constantFrom('\u0001', '\u0002', 's1', 'u', 'n', ',', '1', '😀', '世', '\uFFFF', '\uFEFF'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((text) => text !== '\0'),
)
const text = fc.array(unit, { maxLength: 12 }).map((units) => units.join(''))
const name = fc.oneof(fc.constantFrom('a', 'b', 'c', '', 'n', '__proto__'), text)
const value = fc.oneof(text, fc.integer({ min: -20, max: 20 }).map(String))
const values = fc.array(fc.tuple(name, value), { maxLength: 12 }).map((list) => new Map(list))
const time = fc.integer({ min: 1, max: 2 * HOUR }).map((ms) => NOW + HOUR + ms)
const generation = fc.integer({ min: 0, max: 3 })
const some = { requiredKeys: [] as [] }

const record: fc.Arbitrary<SessionRecord> = fc
  .tuple(
    fc.record({ createdAt: time, expiresAt: time, deadline: time, renewedAt: time, values }),
    fc.record({ generation, fence: generation }),
    fc.record({ user: text, authenticatedAt: time, rememberFor: fc.nat() }, some),
    fc.option(fc.record({ userAgent: text, address: text }), { nil: undefined }),
  )
  .chain((parts) => fc.tuple(fc.constant(parts), fc.boolean()))
  .map(([[times, credential, login, client], isNew]) => ({
    ...times,
    ...(isNew && { renewedAt: times.createdAt }),
    ...credential,
    ...login,
    ...(client !== undefined && { client }),
  }))

const change: fc.Arbitrary<SessionChange> = fc
  .tuple(
    fc.record({ generation, at: fc.constant(NOW), set: values, expiresAt: time }),
    fc.record({
      unset: fc.array(name, { maxLength: 4 }),
      add: fc.array(fc.tuple(name, fc.integer({ min: -9, max: 9 }))).map((list) => new Map(list)),
    }),
    fc.record(
      {
        clear: fc.boolean(),
        deadline: time,
        rotate: fc.constantFrom('renew', 'fence'),
        user: fc.option(text),
        rememberFor: fc.option(fc.nat()),
      },
      some,
    ),
  )
  .map(([base, changes, rest]) => ({ ...base, ...changes, ...rest }))

// What a script of its own does: no more than four values, of which some are there already and keep their length.
const setting: fc.Arbitrary<SessionChange> = fc
  .record({
    generation,
    at: fc.constant(NOW),
    set: fc.array(fc.tuple(name, value), { maxLength: 5 }).map((list) => new Map(list)),
    expiresAt: time,
  })
  .map((base) => ({ ...base, unset: [], add: new Map() }))

describe('the text of a record', () => {
  test('every record comes back from its text', () => {
    fc.assert(
      fc.property(record, (given) => {
        expect(plain(unpack(pack(given)))).toEqual(given)
      }),
      { numRuns: 300 },
    )
  })

  test('every value is found by its name, whatever the others hold', () => {
    fc.assert(
      fc.property(record, name, (given, asked) => {
        const found = unpack(pack(given)).values
        expect(found.get(asked)).toBe(given.values.get(asked))
        expect(found.has(asked)).toBe(given.values.has(asked))
        for (const [each, held] of given.values) {
          expect(unpack(pack(given)).values.get(each)).toBe(held)
          expect(found.get(each)).toBe(held)
        }
        expect(found.size).toBe(given.values.size)
      }),
      { numRuns: 300 },
    )
  })

  test('its values are a map like any other', () => {
    const given = new Map([
      ['a', '1'],
      ['b', '2'],
    ])
    const found = unpack(pack(newRecord({ values: given }))).values
    const visited: unknown[] = []
    found.forEach((held, each, all) => visited.push([each, held, all === found]))
    expect(visited).toEqual([
      ['a', '1', true],
      ['b', '2', true],
    ])
    expect([...found.keys()]).toEqual(['a', 'b'])
    expect([...found.values()]).toEqual(['1', '2'])
    expect([...found.entries()]).toEqual([...given])
  })

  test('what holds U+0000 is refused before it is sent', () => {
    const refused = withCode('ERR_SESSION_VALUE', 'U+0000')
    for (const fields of [
      { user: 'a\0\u0001admin\0\u0002true' },
      { values: new Map([['a\0', '1']]) },
      { values: new Map([['a', '1\0']]) },
      { client: { userAgent: '\0' } },
      { client: { address: '\0' } },
    ]) {
      expect(thrown(() => pack(newRecord(fields)))).toEqual(refused)
    }
  })

  test('what ends beyond the format is cut to its last time', () => {
    const far = unpack(
      pack(newRecord({ expiresAt: Number.MAX_VALUE, deadline: Number.POSITIVE_INFINITY })),
    )
    expect([far.expiresAt, far.deadline]).toEqual([9_000_000_000_000, 9_000_000_000_000])
  })

  test.each([
    ['nothing', ''],
    ['another text', 'no record'],
    ['JSON of another library', '{"cookie":{"originalMaxAge":null},"login":"alice"}'],
    ['a cut record', pack(newRecord()).slice(0, -3)],
    ['a cut header', pack(newRecord()).slice(0, 30)],
    ['an older version', `s0${pack(newRecord()).slice(2)}`],
  ])('%s is corrupt', (_what, found) => {
    expect(thrown(() => unpack(found))).toEqual(withCode('ERR_SESSION_CORRUPT'))
  })

  test('damage among the values is found when they are read', () => {
    const damaged = pack(newRecord({ values: new Map([['a', '1']]) })).replace('\u0002', 'x')
    expect(thrown(() => [...unpack(damaged).values])).toEqual(withCode('ERR_SESSION_CORRUPT'))
  })

  test('a record of a newer version says so', () => {
    for (const version of ['s2', 's9', 'sa']) {
      expect(thrown(() => unpack(version + pack(newRecord()).slice(2)))).toEqual(
        withCode('ERR_SESSION_VERSION'),
      )
    }
  })
})

describe('the scripts', () => {
  const scene = new RedisScene()

  test.each([
    ['a commit', change],
    ['a commit that only sets values', setting],
  ])('%s does what the pure function does, or changes nothing', async (_what, changes) => {
    await fc.assert(
      fc.asyncProperty(record, changes, async (given, wish) => {
        const id = newId()
        const asked = { ...wish, at: Date.now() }
        const before = { ...given, expiresAt: Math.min(given.expiresAt, given.deadline) }
        await scene.store.create(id, before)
        const wanted = wantedOf(before, asked)
        const outcome = await scene.store.commit(id, asked).catch((error: unknown) => error)
        expect(outcome).toEqual(wanted.outcome)
        const after = (await scene.store.load(id))!
        expect(plain(after)).toEqual(wanted.record)
        expect(await scene.client.pExpireTime(new Keys('sojourn:').record(id))).toBe(
          after.expiresAt,
        )
      }),
      { numRuns: 400 },
    )
  })

  test('many names at once are changed as few are', async () => {
    const id = newId()
    const names = Array.from({ length: 400 }, (_, n) => `name${n}`)
    const before = newRecord({ values: new Map(names.map((each) => [each, `"${each} 世"`])) })
    await scene.store.create(id, before)
    const asked: SessionChange = {
      generation: 0,
      at: Date.now(),
      expiresAt: before.expiresAt,
      set: new Map(
        names.slice(100, 300).flatMap((each) => [
          [each, '1'],
          [`${each}+`, '😀'],
        ]),
      ),
      unset: names.slice(0, 150),
      add: new Map(names.slice(250, 300).map((each, n) => [each, n])),
    }
    const wanted = wantedOf(before, asked)
    expect(await scene.store.commit(id, asked)).toEqual(wanted.outcome)
    expect(plain((await scene.store.load(id))!)).toEqual(wanted.record)
  })

  test('sums are exact up to the last safe integer, and refused beyond it', async () => {
    const id = newId()
    const most = Number.MAX_SAFE_INTEGER
    await scene.store.create(
      id,
      newRecord({
        values: new Map([
          ['n', `${most - 1}`],
          ['t', '"1"'],
          ['z', '007'],
        ]),
      }),
    )
    const add = (which: string, by: number): Promise<unknown> =>
      scene.store.commit(id, {
        generation: 0,
        at: Date.now(),
        expiresAt: 1,
        set: new Map(),
        unset: [],
        add: new Map([[which, by]]),
      })
    expect(await add('n', 1)).toMatchObject({ added: new Map([['n', most]]) })
    const refused = withCode('ERR_SESSION_NOT_A_NUMBER')
    await expect(add('n', 1)).rejects.toEqual(refused)
    await expect(add('n', most)).rejects.toEqual(refused)
    await expect(add('t', 1)).rejects.toEqual(refused)
    await expect(add('z', 1)).rejects.toEqual(refused)
    await expect(add('n', 0.5)).rejects.toEqual(refused)
    expect(await add('n', -most)).toMatchObject({ added: new Map([['n', 0]]) })
    expect(await add('n', -most)).toMatchObject({ added: new Map([['n', -most]]) })
    await expect(add('n', -1)).rejects.toEqual(refused)
    expect((await scene.store.load(id))?.values.get('n')).toBe(`${-most}`)
  })

  test('no key is ever without an end', async () => {
    const keys = await scene.client.keys('*')
    expect(keys.length).toBeGreaterThan(400)
    for (const key of keys) expect(await scene.client.pTTL(key)).toBeGreaterThan(0)
  })
})

// A map of ours and a Map are equal for a reader, not for an assertion; order does not matter.
function plain(found: SessionRecord): SessionRecord {
  return { ...found, values: new Map(found.values) }
}

/** What the pure function makes of a change: the answer, and the record afterwards. */
function wantedOf(
  before: SessionRecord,
  asked: SessionChange,
): { outcome: unknown; record: SessionRecord } {
  const applied = attempt(() => applyChange(before, asked))
  if (applied instanceof Error) {
    return { outcome: withCode('ERR_SESSION_NOT_A_NUMBER'), record: before }
  }
  if (applied === 'stale') return { outcome: 'stale', record: before }
  return { outcome: applied.committed, record: applied.record }
}

function attempt<T>(run: () => T): T | Error {
  try {
    return run()
  } catch (error) {
    return error as Error
  }
}

function thrown(run: () => unknown): unknown {
  return attempt(run)
}
