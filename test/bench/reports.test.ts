import { describe, expect, test } from 'vitest'
import { capacityOf } from '../../bench/reports/capacity.ts'
import { svgOf } from '../../bench/reports/chart.ts'
import { markdownOf, textOf, times, withSpread } from '../../bench/reports/section.ts'
import { targetsTable } from '../../bench/reports/targets.ts'
import type { Result } from '../../bench/support/results.ts'
import { Figures, Samples, type Row } from '../../bench/support/samples.ts'
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

  test('an overhead is compared above what both have without it', () => {
    const figures = figuresOf({ bare: [10, 20], mine: [12, 23], other: [20, 50] })
    const [mine, other, bare] = ['mine', 'other', 'bare'].map((name) => ({ name }))
    expect(figures.shareAbove(mine!, other!, bare!, 'cpu').value).toBeCloseTo(0.15)
  })

  test('a round in which the other added nothing does not count', () => {
    const figures = figuresOf({ bare: [10, 10], mine: [12, 12], other: [9, 20] })
    const [mine, other, bare] = ['mine', 'other', 'bare'].map((name) => ({ name }))
    expect(figures.shareAbove(mine!, other!, bare!, 'cpu').value).toBeCloseTo(0.2)
  })

  test('labels that fit two rows, or none, are refused', () => {
    const figures = figuresOf({ one: [1], two: [2] })
    expect(() => figures.all({}, 'cpu')).toThrow('not one cpu')
    expect(() => figures.all({ name: 'three' }, 'cpu')).toThrow('not one cpu')
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

function resultOf(rows: readonly Row[]): Result {
  const machine = { system: '', processor: '', cores: 2, memory: 8, pinned: true, versions: {} }
  const head = { question: 'overhead', size: 'full', day: '2026-01-01', seconds: 1 } as const
  return { ...head, sources: '', machine, load: [0, 0], rows }
}
