/**
 * Charts as SVG, by hand: horizontal bars, and lines over a row of points. They can be read on light and
 * on dark pages.
 *
 * @module
 */

/** Bars, each with a label; a mark shows where a bar should end at the most. */
export interface Bars {
  readonly kind: 'bars'
  /** Of the file, without its ending. */
  readonly name: string
  readonly title: string
  /** What the numbers are. */
  readonly unit: string
  readonly bars: readonly Bar[]
  /** Each tick is ten times the one before: for values that are far apart. */
  readonly logarithmic?: boolean
}

export interface Bar {
  readonly label: string
  readonly value: number
  readonly most?: number
}

/** Lines through points that all have. */
export interface Lines {
  readonly kind: 'lines'
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly points: readonly string[]
  readonly series: readonly { readonly label: string; readonly values: readonly number[] }[]
}

const WIDTH = 760
const STYLE = `<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.faint { fill: #57606a }
.grid { stroke: #d0d7de }
.most { stroke: #cf222e; stroke-width: 2 }
.a { fill: #0969da; stroke: #0969da } .b { fill: #bc4c00; stroke: #bc4c00 }
.c { fill: #1a7f37; stroke: #1a7f37 } .d { fill: #8250df; stroke: #8250df }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #3d444d } .most { stroke: #f85149 }
  .a { fill: #4493f8; stroke: #4493f8 } .b { fill: #f0883e; stroke: #f0883e }
  .c { fill: #3fb950; stroke: #3fb950 } .d { fill: #ab7df8; stroke: #ab7df8 }
}
</style>`
const COLORS = ['a', 'b', 'c', 'd'] as const

/** The file of a chart. */
export function svgOf(chart: Bars | Lines): string {
  return chart.kind === 'bars' ? barsOf(chart) : linesOf(chart)
}

function page(title: string, unit: string, height: number, content: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`
  const titles = [text(title, 8, 22, 'title'), text(unit, 8, 42, 'faint')]
  return [head, STYLE, ...titles, ...content, '</svg>\n'].join('\n')
}

const BAR = { top: 60, step: 26, left: 300, right: 70 } as const

function barsOf({ title, unit, bars, logarithmic = false }: Bars): string {
  const values = bars.flatMap(({ value, most = 0 }) => [value, most]).filter(Number.isFinite)
  const scale = logarithmic ? logScale(values) : linearScale(values)
  const room = WIDTH - BAR.left - BAR.right
  const at = (value: number): number => BAR.left + room * Math.min(1, Math.max(0, scale(value)))
  const content = bars.flatMap(({ label, value, most }, place) => {
    const y = BAR.top + place * BAR.step
    const end = Number.isFinite(value) ? at(value) : BAR.left
    const bar = `<rect class="a" x="${BAR.left}" y="${y}" width="${fixed(end - BAR.left)}" height="16"/>`
    const mark = most === undefined ? [] : [line('most', at(most), y - 3, at(most), y + 19)]
    const beyond = Math.max(end, most === undefined ? 0 : at(most)) + 8
    return [text(label, 8, y + 13), bar, ...mark, text(short(value), beyond, y + 13)]
  })
  const axis = line('grid', BAR.left, BAR.top - 6, BAR.left, BAR.top + bars.length * BAR.step - 4)
  return page(title, unit, BAR.top + bars.length * BAR.step + 10, [axis, ...content])
}

function linearScale(values: readonly number[]): (value: number) => number {
  const most = Math.max(...values, 0) || 1
  return (value) => value / most
}

function logScale(values: readonly number[]): (value: number) => number {
  const positive = values.filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(...positive, 1)) - 0.01)
  const high = Math.log10(Math.max(...positive, 1)) + 0.05
  return (value) => (value > 0 ? (Math.log10(value) - low) / (high - low) : 0)
}

const PLOT = { top: 86, height: 220, left: 60, right: 30 } as const
const GRID = 4

function linesOf({ title, unit, points, series }: Lines): string {
  const top = niceTop(
    Math.max(...series.flatMap(({ values }) => values.filter(Number.isFinite)), 0),
  )
  const across = (WIDTH - PLOT.left - PLOT.right) / Math.max(1, points.length - 1)
  const x = (place: number): number => PLOT.left + place * across
  const y = (value: number): number => PLOT.top + PLOT.height * (1 - value / top)
  const grid = Array.from({ length: GRID + 1 }, (_, place) => {
    const value = (top * place) / GRID
    return [
      line('grid', PLOT.left, y(value), WIDTH - PLOT.right, y(value)),
      text(short(value), PLOT.left - 8, y(value) + 4, 'faint', 'end'),
    ]
  })
  const labels = points.map((point, place) =>
    text(point, x(place), PLOT.top + PLOT.height + 20, 'faint', anchorOf(place, points.length)),
  )
  const legend = series.map(({ label }, place) => legendOf(label, place, series.length))
  const curves = series.map(({ values }, place) => {
    const path = values.map((value, point) => `${fixed(x(point))},${fixed(y(value))}`).join(' ')
    return `<polyline class="${colorOf(place)} line" points="${path}"/>`
  })
  const content = [...grid.flat(), ...labels, ...legend.flat(), ...curves]
  return page(title, unit, PLOT.top + PLOT.height + 34, content)
}

function legendOf(label: string, place: number, all: number): string[] {
  const left = PLOT.left + (place * (WIDTH - PLOT.left)) / all
  return [
    `<rect class="${colorOf(place)}" x="${fixed(left)}" y="58" width="12" height="12"/>`,
    text(label, left + 18, 69),
  ]
}

function colorOf(place: number): string {
  return COLORS[place % COLORS.length] ?? 'a'
}

function anchorOf(place: number, all: number): string {
  if (place === 0) return 'start'
  return place === all - 1 ? 'end' : 'middle'
}

/** A round number that is not less, and that four lines divide well. */
function niceTop(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value || 1))
  const steps = [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10]
  return (steps.find((step) => step * magnitude >= value) ?? 10) * magnitude
}

function text(words: string, x: number, y: number, name = '', anchor = 'start'): string {
  const kind = name === '' ? '' : ` class="${name}"`
  return `<text${kind} x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escaped(words)}</text>`
}

function line(name: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${name}" x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}"/>`
}

function fixed(value: number): string {
  return Number(value.toFixed(1)).toString()
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return Number(value.toPrecision(value < 1 ? 2 : 3)).toLocaleString('en')
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
