import { halfDistance, median, spread } from './statistics.ts'

/** What tells one measured thing from another: `{ group: 'express', variant: 'bare', work: 'read' }`. */
export type Labels = Readonly<Record<string, string | number>>

/** The figures of one measured thing: of each name one for every round, in the order of the rounds. */
export interface Row {
  readonly of: Labels
  readonly figures: Readonly<Record<string, readonly number[]>>
}

/** How one thing stands to another, in the same rounds. */
export interface Ratio {
  /** The median of the ratios of the rounds. */
  readonly value: number
  /** Half the distance between their quartiles, as a part of the median. */
  readonly spread: number
}

/** What one thing adds to another, in terms of what a third adds to it. */
export type Share =
  /** Both are above the noise; the spread is half the distance between the quartiles, as a part of the value. */
  | ({ readonly kind: 'share' } & Ratio)
  /** It adds less than the noise, which is that part of what the third adds. */
  | { readonly kind: 'within noise'; readonly below: number }
  /** Not even what the third adds is above the noise. */
  | { readonly kind: 'unknown' }

const DIGITS = 5

/** Gathers figures while rounds are run. */
export class Samples {
  readonly #rows = new Map<string, { of: Labels; figures: Record<string, number[]> }>()

  add(of: Labels, figures: Readonly<Record<string, number>>): void {
    const key = JSON.stringify(of)
    const row = this.#rows.get(key) ?? { of, figures: {} }
    this.#rows.set(key, row)
    for (const [name, figure] of Object.entries(figures)) {
      if (Number.isNaN(figure)) continue
      const all = (row.figures[name] ??= [])
      all.push(Number(figure.toPrecision(DIGITS)))
    }
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()]
  }
}

/** Figures that were gathered, to be asked for ratios. */
export class Figures {
  readonly rows: readonly Row[]

  constructor(rows: readonly Row[]) {
    this.rows = rows
  }

  /** The rows that have all of these labels. */
  where(of: Labels): readonly Row[] {
    const wanted = Object.entries(of)
    return this.rows.filter((row) => wanted.every(([name, label]) => row.of[name] === label))
  }

  /** The values of a label that is text, each once, in the order in which they were measured. */
  names(label: string, of: Labels = {}): readonly string[] {
    return this.#labels(label, of).filter((value) => typeof value === 'string')
  }

  /** The same, of a label that is a number. */
  numbers(label: string, of: Labels = {}): readonly number[] {
    return this.#labels(label, of).filter((value) => typeof value === 'number')
  }

  has(of: Labels): boolean {
    return this.where(of).length > 0
  }

  /** The figures of the one row that has these labels. */
  all(of: Labels, figure: string): readonly number[] {
    const [row, ...more] = this.where(of)
    const all = row?.figures[figure]
    if (all !== undefined && more.length === 0) return all
    throw new Error(`There is not one ${figure} of ${JSON.stringify(of)}.`)
  }

  median(of: Labels, figure: string): number {
    return median(this.all(of, figure))
  }

  spread(of: Labels, figure: string): number {
    return spread(this.all(of, figure))
  }

  ratio(of: Labels, to: Labels, figure: string): Ratio {
    const below = this.all(to, figure)
    return ratioOf(this.all(of, figure).map((value, round) => value / (below[round] ?? Number.NaN)))
  }

  /**
   * How much two things are above a third: what `of` adds to it in terms of what `to` adds to it, both the
   * medians of what they added in a round. What is added is above the noise if it is more than half the distance between
   * the quartiles of the rounds.
   */
  shareAbove(of: Labels, to: Labels, base: Labels, figure: string): Share {
    const [added, below] = [of, to].map((labels) => this.#above(labels, base, figure)) as [
      readonly number[],
      readonly number[],
    ]
    const [noise, whole] = [halfDistance(added), median(below)]
    if (whole <= halfDistance(below)) return { kind: 'unknown' }
    if (median(added) < noise) return { kind: 'within noise', below: noise / whole }
    const value = median(added) / whole
    // A round in which `to` added nothing was disturbed.
    const shares = added.map((more, round) => more / positive(below[round]))
    return { kind: 'share', value, spread: halfDistance(finite(shares)) / value }
  }

  #above(of: Labels, base: Labels, figure: string): readonly number[] {
    const bases = this.all(base, figure)
    return this.all(of, figure).map((value, round) => value - (bases[round] ?? Number.NaN))
  }

  #labels(label: string, of: Labels): readonly (string | number | undefined)[] {
    return [...new Set(this.where(of).map((row) => row.of[label]))]
  }
}

function ratioOf(rounds: readonly number[]): Ratio {
  const counted = finite(rounds)
  return { value: median(counted), spread: Math.abs(spread(counted)) }
}

function positive(number = Number.NaN): number {
  return number > 0 ? number : Number.NaN
}

function finite(numbers: readonly number[]): readonly number[] {
  return numbers.filter((number) => Number.isFinite(number))
}
