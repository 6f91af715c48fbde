import { Figures, type Labels } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import { size, times, withSpread, type Section, type Table } from './section.ts'

const WAYS: Readonly<Record<string, string>> = {
  raw: 'bare GET',
  redis: 'RedisStore',
  strict: 'CachedStore',
  loose: 'CachedStore, `strict: false`',
}

/** What a near cache saves. */
export function reportNearCache({ rows }: Result): Section {
  const figures = new Figures(rows)
  return {
    title: 'Near cache',
    text:
      'The store alone: CPU of the process for a load, and how long a load takes, of a session that the process has read before. How long a value is still ' +
      'served that another process has replaced is counted from when the answer to its write is known.',
    tables: [...kindsOf(figures).map((kind) => table(figures, kind)), delayTable(figures)],
    charts: [
      {
        kind: 'bars',
        name: 'near-cache',
        title: 'CPU of a load with a near cache',
        unit: 'in terms of a bare GET',
        bars: kindsOf(figures).flatMap((kind) => {
          return Object.entries(WAYS).map(([way, name]) => ({
            label: `${name.replaceAll('`', '')}, ${nameOf(kind)}`,
            value: figures.ratio({ ...kind, way }, { ...kind, way: 'raw' }, 'cpu').value,
          }))
        }),
      },
    ],
  }
}

function kindsOf(figures: Figures): Labels[] {
  return figures.where({ way: 'raw' }).map(({ of }) => ({
    bytes: of['bytes'] ?? 0,
    atOnce: of['atOnce'] ?? 0,
  }))
}

function nameOf(kind: Labels): string {
  return `${size(Number(kind['bytes']))}, ${kind['atOnce']} at once`
}

function table(figures: Figures, kind: Labels): Table {
  const raw = { ...kind, way: 'raw' }
  const rows = Object.entries(WAYS).map(([way, name]) => {
    const cells = ['cpu', 'rate'].map((figure) =>
      withSpread(figures.ratio({ ...kind, way }, raw, figure)),
    )
    return [name, ...cells]
  })
  const columns = ['in terms of a bare GET', 'CPU', 'loads/s (higher is better)']
  return { title: `Near cache, ${nameOf(kind)}`, columns, rows }
}

function delayTable(figures: Figures): Table {
  const rows = kindsOf(figures).map((kind) => {
    const cells = ['median', 'p99', 'longest'].map((figure) => {
      return times(figures.median({ ...kind, way: 'delay' }, figure))
    })
    return [nameOf(kind), ...cells]
  })
  const columns = ['ms', 'median', '99 of 100', 'longest']
  return { title: 'How long an old value is served, with `strict: false`', columns, rows }
}
