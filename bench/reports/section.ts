import type { Ratio, Share } from '../support/samples.ts'
import type { Bars, Lines } from './chart.ts'

/** A table. Its first column is text, the others are figures. */
export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a question found, in words, tables and charts. */
export interface Section {
  readonly title: string
  readonly text: string
  readonly tables: readonly Table[]
  readonly charts: readonly (Bars | Lines)[]
}

/** A ratio in print: `1.31`, `0.042`, `17`. */
export function times(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return value.toFixed(0)
  if (Math.abs(value) >= 10) return value.toFixed(1)
  return value.toFixed(Math.abs(value) < 0.1 ? 3 : 2)
}

/** A ratio with how far the rounds differ: `1.31 ± 0.04`. */
export function withSpread({ value, spread }: Ratio): string {
  return Number.isFinite(spread) && spread > 0
    ? `${times(value)} ± ${times(value * spread)}`
    : times(value)
}

/** A share in print: as a ratio; `< 0.04` if it is within a noise of that part. */
export function shareText(found: Share): string {
  if (found.kind === 'unknown') return '–'
  return found.kind === 'share' ? withSpread(found) : `< ${times(found.below)}`
}

/** A size in print: `200 B`, `4 KB`. */
export function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`
}

/** A count in print: `10,000`. */
export function count(value: number): string {
  return value.toLocaleString('en')
}

/** The table as Markdown has it. */
export function markdownOf({ columns, rows }: Table): string {
  const lines = [columns, columns.map((_, place) => (place === 0 ? '---' : '--:')), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The table as a terminal shows it. */
export function textOf({ title, columns, rows }: Table): string {
  const widths = columns.map((name, place) =>
    Math.max(name.length, ...rows.map((row) => (row[place] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, place) =>
        place === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[place] ?? 0),
      )
      .join('  ')
  return [`\n${title}`, line(columns), ...rows.map(line)].join('\n')
}
