import { describe, expect, test } from 'vitest'
import { addToText, applyChange, isExpired, isStale } from '../src/change.ts'
import type { SessionChange, SessionRecord } from '../src/store.ts'

const record: SessionRecord = {
  createdAt: 1_000,
  expiresAt: 5_000,
  deadline: 9_000,
  generation: 4,
  renewedAt: 2_000,
  fence: 3,
  values: new Map([
    ['a', '1'],
    ['b', '"text"'],
  ]),
}

const known: SessionRecord = { ...record, user: 'u1', authenticatedAt: 1_500, rememberFor: 700 }

function change(part: Partial<SessionChange> = {}): SessionChange {
  return {
    generation: 4,
    at: 3_000,
    set: new Map(),
    unset: [],
    add: new Map(),
    expiresAt: 6_000,
    ...part,
  }
}

function applied(part: Partial<SessionChange>, to: SessionRecord = record): SessionRecord {
  const result = applyChange(to, change(part))
  if (result === 'stale') throw new Error('unexpectedly stale')
  return result.record
}

function valuesAfter(part: Partial<SessionChange>): Record<string, string> {
  return Object.fromEntries(applied(part).values)
}

describe('values', () => {
  const b = { b: '"text"' }
  test.each<[string, Partial<SessionChange>, Record<string, string>]>([
    ['nothing asked', {}, { a: '1', ...b }],
    ['set of another name', { set: new Map([['c', '3']]) }, { a: '1', ...b, c: '3' }],
    ['set of the same name', { set: new Map([['a', '2']]) }, { a: '2', ...b }],
    ['unset', { unset: ['a', 'missing'] }, b],
    ['unset, then set', { unset: ['a'], set: new Map([['a', '7']]) }, { a: '7', ...b }],
    ['clear', { clear: true }, {}],
    ['clear, then set', { clear: true, set: new Map([['c', '3']]) }, { c: '3' }],
    ['add to a number', { add: new Map([['a', 41]]) }, { a: '42', ...b }],
    ['add to nothing', { add: new Map([['n', -2]]) }, { a: '1', ...b, n: '-2' }],
    ['clear, then add', { clear: true, add: new Map([['a', 5]]) }, { a: '5' }],
    ['unset, then add', { unset: ['a'], add: new Map([['a', 5]]) }, { a: '5', ...b }],
    ['set, then add', { set: new Map([['a', '10']]), add: new Map([['a', 5]]) }, { a: '15', ...b }],
    ['empty name', { set: new Map([['', 'x']]) }, { a: '1', ...b, '': 'x' }],
  ])('%s', (_title, part, expected) => {
    expect(valuesAfter(part)).toEqual(expected)
  })

  test('a name such as __proto__ is a name like any other', () => {
    const values = applied({
      set: new Map([['__proto__', '1']]),
      add: new Map([['constructor', 2]]),
    }).values
    expect(values.get('__proto__')).toBe('1')
    expect(values.get('constructor')).toBe('2')
  })

  test('the record that was given stays as it was', () => {
    applied({
      clear: true,
      set: new Map([['c', '3']]),
      rotate: 'fence',
      user: 'u2',
      expiresAt: 8_000,
    })
    expect(record.values.size).toBe(2)
    expect(record).toMatchObject({ expiresAt: 5_000, generation: 4, fence: 3 })
    expect(record).not.toHaveProperty('user')
  })

  test('the answer has the new number of every name in add', () => {
    const result = applyChange(
      record,
      change({
        add: new Map([
          ['a', 1],
          ['n', 5],
        ]),
      }),
    )
    expect(result).toMatchObject({
      committed: {
        added: new Map([
          ['a', 2],
          ['n', 5],
        ]),
      },
    })
  })
})

describe('numbers', () => {
  test.each<[string | undefined, number, number]>([
    [undefined, 3, 3],
    ['0', 0, 0],
    ['-5', 5, 0],
    ['9007199254740990', 1, Number.MAX_SAFE_INTEGER],
    ['-9007199254740990', -1, Number.MIN_SAFE_INTEGER],
  ])('%s plus %d is %d', (text, by, sum) => {
    expect(addToText('n', text, by)).toBe(sum)
  })

  test.each<[string, number]>([
    ['', 1],
    ['"1"', 1],
    [' 1', 1],
    ['1 ', 1],
    ['1\n', 1],
    ['+1', 1],
    ['01', 1],
    ['-0', 1],
    ['1.0', 1],
    ['1e3', 1],
    ['0x10', 1],
    ['9007199254740992', -1],
    ['99999999999999999999', 1],
    ['9007199254740991', 1],
    ['-9007199254740991', -1],
    ['1', 0.5],
    ['1', Number.NaN],
  ])('%j plus %d is refused', (text, by) => {
    const refusal = expect.objectContaining({ code: 'ERR_SESSION_NOT_A_NUMBER' })
    expect(() => addToText('n', text, by)).toThrow(refusal)
    const attempt = { set: new Map([['a', text]]), add: new Map([['a', by]]) }
    expect(() => applied(attempt)).toThrow(refusal)
  })

  test('the message names the value and does not show it', () => {
    expect(() => addToText('visits', '"hunter2"', 1)).toThrow(/^(?!.*hunter2).*'visits'/)
  })
})

describe('times', () => {
  test.each<[string, Partial<SessionChange>, number, number]>([
    ['an earlier idle deadline does not shorten', { expiresAt: 4_000 }, 5_000, 9_000],
    ['a later one extends', { expiresAt: 6_000 }, 6_000, 9_000],
    ['never beyond the deadline', { expiresAt: 10_000 }, 9_000, 9_000],
    ['a deadline of its own replaces both', { expiresAt: 4_000, deadline: 20_000 }, 4_000, 20_000],
    ['also an earlier one', { expiresAt: 8_000, deadline: 7_000 }, 7_000, 7_000],
  ])('%s', (_title, part, expiresAt, deadline) => {
    expect(applied(part)).toMatchObject({ expiresAt, deadline })
    expect(applyChange(record, change(part))).toMatchObject({ committed: { expiresAt, deadline } })
  })

  test('a record has ended at its idle deadline, not before', () => {
    expect([4_999, 5_000, 5_001].map((now) => isExpired(record, now))).toEqual([false, true, true])
  })

  test.each<[string, number | null | undefined, number | undefined]>([
    ['kept', undefined, 700],
    ['replaced', 800, 800],
    ['removed', null, undefined],
  ])('rememberFor is %s', (_title, rememberFor, expected) => {
    const next = applied(rememberFor === undefined ? {} : { rememberFor }, known)
    expect(next.rememberFor).toBe(expected)
    expect('rememberFor' in next).toBe(expected !== undefined)
  })
})

describe('generations', () => {
  test.each<[number | undefined, boolean]>([
    [2, true],
    [3, false],
    [4, false],
    [5, false],
    [undefined, false],
  ])('opened under %s and fenced at 3: stale is %s', (generation, stale) => {
    expect(isStale(record, generation)).toBe(stale)
  })

  test('a stale change is refused whole', () => {
    expect(applyChange(record, change({ generation: 2, add: new Map([['b', 1]]) }))).toBe('stale')
  })

  test.each<[string, Partial<SessionChange>, Partial<SessionRecord>]>([
    ['none', {}, { generation: 4, fence: 3, renewedAt: 2_000 }],
    ['renew', { rotate: 'renew' }, { generation: 5, fence: 3, renewedAt: 3_000 }],
    [
      'renew, too late',
      { rotate: 'renew', generation: 3 },
      { generation: 4, fence: 3, renewedAt: 2_000 },
    ],
    ['fence', { rotate: 'fence' }, { generation: 5, fence: 5, renewedAt: 3_000 }],
    [
      'fence by an older one',
      { rotate: 'fence', generation: 3 },
      { generation: 5, fence: 5, renewedAt: 3_000 },
    ],
  ])('rotate %s', (_title, part, expected) => {
    expect(applied(part)).toMatchObject(expected)
    expect(applyChange(record, change(part))).toMatchObject({
      committed: { generation: expected.generation },
    })
  })
})

describe('users', () => {
  test('a string logs the user in at the time of the change', () => {
    expect(applied({ user: 'u2' }, known)).toMatchObject({ user: 'u2', authenticatedAt: 3_000 })
  })

  test('null removes the user and when they proved who they are', () => {
    const next = applied({ user: null }, known)
    expect('user' in next || 'authenticatedAt' in next).toBe(false)
  })

  test('without user both stay', () => {
    expect(applied({}, known)).toMatchObject({ user: 'u1', authenticatedAt: 1_500 })
  })
})

describe('expect', () => {
  test('a change is applied while the values are as expected', () => {
    const expected = new Map([
      ['a', '1'],
      ['missing', undefined],
    ])
    const set = new Map([['a', '2']])
    expect(valuesAfter({ expect: expected, set })).toEqual({ a: '2', b: '"text"' })
  })

  test('a change is refused when a value is another by now, or is there, or is not', () => {
    for (const expected of [['a', '2'] as const, ['b', undefined] as const, ['c', ''] as const]) {
      const part = {
        expect: new Map<string, string | undefined>([expected]),
        set: new Map([['a', '9']]),
      }
      expect(() => applied(part)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_CONFLICT' }))
    }
  })

  test('a change of a request that was fenced off is stale, whatever it expected', () => {
    const late = change({ generation: 2, expect: new Map([['a', '2']]) })
    expect(applyChange(record, late)).toBe('stale')
  })
})
