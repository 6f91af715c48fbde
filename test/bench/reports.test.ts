import { describe, expect, test } from 'vitest'
import { capacityOf } from '../../bench/reports/capacity.ts'
import { svgOf } from '../../bench/reports/chart.ts'
import { markdownOf, textOf, times, withSpread } from '../../bench/reports/section.ts'
import { targetsTable } from '../../bench/reports/targets.ts'
import { warmUpOf, type Scenario } from '../../bench/support/contest.ts'
import type { Result } from '../../bench/support/results.ts'
import { Figures, Samples, type Row, type Share } from '../../bench/support/samples.ts'
import { median, quantile, spread } from '../../bench/support/statistics.ts'

describe('figures', () => {
  test('the median and the quartiles are interpolated', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2)
    expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(1 / 3)
  })

  test('a ratio is the median of the ratios of the rounds, not the ratio of the medians', () => {
    const figures = figuresOf({ slow: [2, 40, 9], fast: [1, 10, 3] })
    expect(figures.ratio({ name: 'slow' }, { name: 'fast' }, 'cpu').value).toBe(3)
  })

  test('an overhead is the median of what was added in each round, as a part of the same of another', () => {
    const share = shareOf({ bare: [10, 10, 11], mine: [14, 13, 15], other: [20, 20, 50] })
    // (14 - 10) / (20 - 10); in the rounds 0.4, 0.3 and 0.103
    expect(share).toMatchObject({ kind: 'share', value: 0.4 })
    expect(share.kind === 'share' && share.value * share.spread).toBeCloseTo((0.35 - 0.2013) / 2)
  })

  test('a round in which the other added nothing does not count for the spread', () => {
    const share = shareOf({ bare: [10, 10, 10], mine: [12, 12, 12], other: [20, 9, 20] })
    expect(share).toEqual({ kind: 'share', value: 0.2, spread: 0 })
  })

  test('what is added is above the noise if it is more than half the distance of its quartiles', () => {
    const bare = [10, 10, 10, 10, 10]
    const other = bare.map(() => 20)
    const noisy = [-2, 0, 2, 4, 6]
    const shareWith = (added: number): Share =>
      shareOf({ bare, other, mine: noisy.map((noise) => 8 + added + noise) })
    expect(shareWith(2)).toMatchObject({ kind: 'share', value: 0.2 })
    expect(shareWith(1.9)).toEqual({ kind: 'within noise', below: 0.2 })
    expect(shareWith(-5)).toEqual({ kind: 'within noise', below: 0.2 })
    const within = noisy.map((noise) => 9 + noise)
    expect(shareOf({ bare, mine: bare, other: within })).toEqual({ kind: 'unknown' })
  })

  test('what differs between rounds for all of them is not noise', () => {
    const bare = [10, 20, 30]
    const [mine, other] = [1, 10].map((added) => bare.map((cpu) => cpu + added))
    const share = shareOf({ bare, mine: mine ?? [], other: other ?? [] })
    expect(share).toEqual({ kind: 'share', value: 0.1, spread: 0 })
  })

  test('labels that fit two rows, or none, are refused', () => {
    const figures = figuresOf({ one: [1], two: [2] })
    expect(() => figures.all({}, 'cpu')).toThrow('not one cpu')
    expect(() => figures.all({ name: 'three' }, 'cpu')).toThrow('not one cpu')
  })
})

describe('the warm-up of a server', () => {
  const kinds = ['read', 'write'].flatMap((work) => {
    return [200, 4096].map((bytes) => ({ work, bytes, connections: 32 }) as Scenario)
  })

  test('is as long in all, however many kinds of work there are', () => {
    for (const scenarios of [kinds.slice(0, 1), kinds, [...kinds, ...kinds]]) {
      expect(warmUpOf(scenarios).reduce((sum, { part }) => sum + part, 0)).toBeCloseTo(1)
    }
  })

  test('writes before it reads, and ends with the smallest size, which has the most of it', () => {
    const once = warmUpOf(kinds).slice(-4)
    expect(once.map(({ work, bytes, part }) => [work, bytes, part])).toEqual([
      ['write', 4096, 0.025],
      ['write', 200, 0.1],
      ['read', 4096, 0.025],
      ['read', 200, 0.1],
    ])
  })
})

describe('targets', () => {
  test('what is at most the target is reached, what is above is not', () => {
    const node = (variant: string, work: string, cpu: number): Row => {
      const of = { kind: 'cost', group: 'node', variant, work, bytes: 200, connections: 32 }
      return { of, figures: { cpu: [cpu], p99: [cpu] } }
    }
    const rows = [
      ...[node('raw', 'read', 10), node('sojourn', 'read', 14)],
      ...[node('raw', 'write', 10), node('sojourn', 'write', 15.1)],
    ]
    const table = targetsTable(new Map([['overhead', resultOf(rows)]]))
    expect(table.rows.map(([, ...cells]) => cells)).toEqual([
      ['1.40', '1.40', 'yes'],
      ['1.50', '1.51', 'no'],
      ['2.00', '1.40', 'yes'],
    ])
  })

  test.each([
    // The target is an eighth of the 40 that express-session adds: 5.
    { bare: [100, 100, 100], sojourn: 105, cells: ['0.13', 'yes'] },
    { bare: [100, 100, 100], sojourn: 106, cells: ['0.15', 'no'] },
    { bare: [98, 100, 102], sojourn: 100.5, cells: ['< 0.025', 'yes (not above the noise)'] },
    { bare: [98, 100, 102], sojourn: 90, cells: ['< 0.025', 'yes (not above the noise)'] },
    { bare: [88, 100, 112], sojourn: 100, cells: ['< 0.15', 'unclear'] },
    { bare: [10, 100, 190], sojourn: 100, cells: ['–', 'unclear'] },
  ])('what sojourn adds is reached, missed or in the noise: $cells', ({ bare, sojourn, cells }) => {
    const express = (variant: string, cpu: readonly number[]): Row => {
      const of = { kind: 'cost', group: 'express', variant, work: 'read', bytes: 200 }
      return { of: { ...of, connections: 32 }, figures: { cpu } }
    }
    const rows = [
      express('bare', bare),
      express('express-session', [140, 140, 140]),
      express('sojourn', [sojourn, sojourn, sojourn]),
    ]
    const table = targetsTable(new Map([['overhead', resultOf(rows)]]))
    const [, most, measured, reached] = table.rows[0] ?? []
    expect(most).toBe('0.13')
    expect([measured?.replace(/ ±.*/, ''), reached]).toEqual(cells)
  })

  test('memory is compared with sessions of connect-redis that hold the same data', () => {
    const kept = (keeper: string, memory: number): Row => {
      return {
        of: { by: 'memory', keeper, sessions: 1000, bytes: 200 },
        figures: { memory: [memory] },
      }
    }
    const rows = [
      ...[kept('sojourn', 520), kept('sojourn-lean', 400)],
      ...[kept('connect-redis', 380), kept('connect-redis-client', 500)],
    ]
    const table = targetsTable(new Map([['growth', resultOf(rows)]]))
    expect(table.rows.map(([, ...cells]) => cells)).toEqual([
      ['1.00', '1.04', 'no'],
      ['1.00', '0.80', 'yes'],
    ])
  })

  test('without figures nothing is claimed', () => {
    expect(targetsTable(new Map()).rows).toEqual([])
    expect(capacityOf(new Map())).toBeUndefined()
  })
})

describe('the capacity sheet', () => {
  test('computes memory, operations and cost by its formula', () => {
    const cost = (work: string, cpu: number): Row => ({
      of: { kind: 'cost', group: 'node', variant: 'sojourn', connections: 32, work, bytes: 200 },
      figures: { cpu: [cpu], redisCpu: [cpu / 10] },
    })
    const memory: Row = {
      of: { by: 'memory', keeper: 'sojourn', sessions: 1000, bytes: 200 },
      figures: { memory: [700] },
    }
    const results = {
      overhead: resultOf([cost('read', 100), cost('write', 200)]),
      growth: resultOf([memory]),
    }
    const sheet = capacityOf(new Map(Object.entries(results)))
    // 6,000,000 / 60 requests; 120 us of the server each; cores half busy; memory 70 % full.
    expect(sheet).toContain('| 1,000,000 | 16,667 | 20,000 | 1.00 | 0.40 | 4.00 | 92 |')
  })
})

describe('what is printed', () => {
  const table = {
    title: 'Costs',
    columns: ['', 'CPU'],
    rows: [
      ['bare', '1.00'],
      ['with', '1.31'],
    ],
  }

  test('a table is the same in a terminal and in Markdown', () => {
    expect(textOf(table)).toBe('\nCosts\n       CPU\nbare  1.00\nwith  1.31')
    expect(markdownOf(table)).toBe('|  | CPU |\n| --- | --: |\n| bare | 1.00 |\n| with | 1.31 |')
  })

  test('ratios have as many digits as they are worth', () => {
    expect([0.0421, 1.306, 12.34, 123.4, Number.NaN].map(times)).toEqual([
      '0.042',
      '1.31',
      '12.3',
      '123',
      '–',
    ])
    expect(withSpread({ value: 2, spread: 0.05 })).toBe('2.00 ± 0.10')
  })

  test('a chart escapes its words, marks targets, and can be read on dark pages', () => {
    const bars = [{ label: 'a < b & "c"', value: 1.5, most: 2 }]
    const svg = svgOf({ kind: 'bars', name: 'x', title: 'T', unit: 'u', bars })
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;')
    expect(svg).toContain('class="most"')
    expect(svg).toContain('prefers-color-scheme: dark')
    expect(svg).not.toContain('NaN')
  })

  test('a line goes through all of its points, the highest within the drawing', () => {
    const series = [{ label: 'one', values: [1, 2, 8] }]
    const svg = svgOf({
      kind: 'lines',
      name: 'x',
      title: 'T',
      unit: 'u',
      points: ['1', '2', '3'],
      series,
    })
    const points = /points="([^"]+)"/
      .exec(svg)?.[1]
      ?.split(' ')
      .map((point) => point.split(',').map(Number))
    expect(points).toHaveLength(3)
    expect(points?.[2]?.[1]).toBeLessThan(points?.[0]?.[1] ?? 0)
    expect(points?.[2]?.[1]).toBeGreaterThanOrEqual(86)
  })
})

function figuresOf(all: Readonly<Record<string, readonly number[]>>): Figures {
  const samples = new Samples()
  for (const [name, rounds] of Object.entries(all)) {
    for (const cpu of rounds) samples.add({ name }, { cpu })
  }
  return new Figures(samples.rows)
}

function shareOf(all: Readonly<Record<'mine' | 'other' | 'bare', readonly number[]>>): Share {
  const [mine, other, bare] = [{ name: 'mine' }, { name: 'other' }, { name: 'bare' }]
  return figuresOf(all).shareAbove(mine, other, bare, 'cpu')
}

function resultOf(rows: readonly Row[]): Result {
  const machine = { system: '', processor: '', cores: 2, memory: 8, pinned: true, versions: {} }
  const head = { question: 'overhead', size: 'full', day: '2026-01-01', seconds: 1 } as const
  return { ...head, sources: '', machine, load: [0, 0], rows }
}
