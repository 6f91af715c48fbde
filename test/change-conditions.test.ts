import { describe, expect, test } from 'vitest'
import { applyChange, swapValue, touched } from '../src/change.ts'
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

function applied(part: Partial<SessionChange>): SessionRecord {
  const result = applyChange(record, change(part))
  if (result === 'stale') throw new Error('unexpectedly stale')
  return result.record
}

describe('expectations', () => {
  const mine = { set: new Map([['a', '2']]), user: 'u2' }

  test.each<[string, [string, string | undefined][]]>([
    ['nothing', []],
    ['what is there', [['a', '1']]],
    ['absence of what is absent', [['c', undefined]]],
    [
      'both',
      [
        ['b', '"text"'],
        ['c', undefined],
      ],
    ],
  ])('a change that expects %s is applied', (_title, expected) => {
    expect(applied({ ...mine, expect: new Map(expected) }).values.get('a')).toBe('2')
  })

  test.each<[string, [string, string | undefined][]]>([
    ['another text', [['a', '2']]],
    ['absence of what is there', [['a', undefined]]],
    ['an empty text of what is absent', [['c', '']]],
    [
      'one thing too many',
      [
        ['a', '1'],
        ['b', '"other"'],
      ],
    ],
  ])('a change that expects %s is a conflict', (_title, expected) => {
    const attempt = { ...mine, expect: new Map(expected), add: new Map([['b', 1]]) }
    const conflict = expect.objectContaining({ code: 'ERR_SESSION_CONFLICT' })
    expect(() => applied(attempt)).toThrow(conflict)
  })

  test('a fenced-off change is stale, whatever it expects', () => {
    expect(applyChange(record, change({ generation: 2, expect: new Map([['a', '2']]) }))).toBe(
      'stale',
    )
  })
})

describe('touch', () => {
  const due = { generation: 4, at: 3_000, expiresAt: 7_000, whenBefore: 6_000 }

  test.each<[string, Partial<typeof due>, number | undefined]>([
    ['due', {}, 7_000],
    ['not due: the idle deadline is not before', { whenBefore: 5_000 }, undefined],
    ['of another generation', { generation: 3 }, undefined],
    ['beyond the deadline', { expiresAt: 99_000 }, 9_000],
    ['backwards', { expiresAt: 4_000 }, undefined],
    ['without gain', { expiresAt: 5_000 }, undefined],
  ])('%s', (_title, part, expiresAt) => {
    const next = touched(record, { ...due, ...part })
    expect(next).toEqual(expiresAt === undefined ? undefined : { ...record, expiresAt })
  })
})

describe('compare-and-set', () => {
  test.each<[string, string, string | undefined, string | undefined, unknown]>([
    [
      'replaces what is as expected',
      'a',
      '1',
      '2',
      [
        ['a', '2'],
        ['b', '"text"'],
      ],
    ],
    ['removes', 'a', '1', undefined, [['b', '"text"']]],
    [
      'adds what is expected to be missing',
      'c',
      undefined,
      '3',
      [
        ['a', '1'],
        ['b', '"text"'],
        ['c', '3'],
      ],
    ],
    ['refuses another value', 'a', '9', '2', false],
    ['refuses a value that appeared', 'a', undefined, '2', false],
    ['refuses a value that went', 'c', '1', '2', false],
  ])('%s', (_title, name, before, after, expected) => {
    const next = swapValue(record, name, before, after)
    expect(next === false ? false : [...next.values]).toEqual(expected)
  })
})
