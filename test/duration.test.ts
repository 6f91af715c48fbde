import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../src/duration.ts'

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDuration(text, 'idleTimeout')).toBe(ms)
  })

  it.each(['', '0s', '-1h', '1', '1 h', '1w', 'h', '1e3s', '0.0001ms', ' 1h'])(
    'refuses %j and says what a duration looks like',
    (text) => {
      expect(() => parseDuration(text, 'idleTimeout')).toThrow(
        /^idleTimeout must be a duration above zero such as '30s'/,
      )
    },
  )

  it('refuses a bare number, whose unit nobody knows', () => {
    expect(() => parseDuration(3600 as never, 'lifetime')).toThrow('not a number')
  })
})

describe('formatDuration', () => {
  it.each([
    [3_600_000, '1h'],
    [90_000, '90s'],
    [86_400_000, '1d'],
    [1, '1ms'],
  ])('writes %d as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})
