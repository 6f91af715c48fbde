import { Figures, type Labels } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import type { Lines } from './chart.ts'
import { count, size, times, withSpread, type Section, type Table } from './section.ts'

const COST = { kind: 'cost', group: 'node', connections: 32 } as const
const WORKS = ['read', 'write'] as const

/** How the cost grows with the sessions, their size, their names, the changes, and with writers. */
export function reportGrowth({ rows }: Result): Section {
  const figures = new Figures(rows)
  return {
    title: 'Growth',
    text:
      'Requests to `node:http` with sessions in Redis, beside a bare GET (GET and SET) of the same data. Names and changes are measured without ' +
      'HTTP, from the cookie to the header lines, in sessions of 16 KB whatever the number of names. Lean is a store with `registry: false` ' +
      'and `userIndex: false`, which can do what connect-redis can; otherwise each session is noted so that it can be listed. Every session of ' +
      'sojourn also holds the user agent and the address of its client: the ratios of memory are to a connect-redis whose sessions hold them as well.',
    tables: [
      memoryTable(figures),
      countTable(figures),
      sizeTable(figures),
      namesTable(figures),
      writersTable(figures),
    ],
    charts: [countChart(figures), sizeChart(figures)],
  }
}

function memoryTable(figures: Figures): Table {
  const kept = figures.where({ by: 'memory', keeper: 'sojourn' })
  const rows = kept.map(({ of }) => {
    const by = (keeper: string): Labels => ({ ...of, keeper })
    const [mine, lean, other] = [by('sojourn'), by('sojourn-lean'), by('connect-redis-client')]
    const bytes = (labels: Labels): string =>
      figures.has(labels) ? figures.median(labels, 'memory').toFixed(0) : ''
    const ratio = (labels: Labels): string =>
      figures.has(other) ? times(figures.ratio(labels, other, 'memory').value) : ''
    return [
      `${count(Number(of['sessions']))} sessions of ${size(Number(of['bytes']))}`,
      ...[mine, lean, other, by('connect-redis')].map(bytes),
      ...[mine, lean].map(ratio),
    ]
  })
  const columns = [
    ...['Bytes of Redis for a session', 'sojourn', 'sojourn, lean', 'connect-redis, same data'],
    ...['connect-redis', 'ratio', 'ratio, lean'],
  ]
  return { title: 'Memory', columns, rows }
}

function countTable(figures: Figures): Table {
  const counts = figures.numbers('sessions', { by: 'sessions' })
  const [first = 0] = counts
  const of = (sessions: number, work: string, variant: string): Labels => ({
    ...{ ...COST, by: 'sessions', sessions, bytes: 200, work, variant },
  })
  const rows = counts.map((sessions) => {
    const cells = WORKS.flatMap((work) => {
      const mine = of(sessions, work, 'sojourn')
      return [
        withSpread(figures.ratio(mine, of(first, work, 'sojourn'), 'cpu')),
        withSpread(figures.ratio(mine, of(sessions, work, 'raw'), 'cpu')),
      ]
    })
    const redis = figures.ratio(
      of(sessions, 'read', 'sojourn'),
      of(first, 'read', 'sojourn'),
      'redisCpu',
    )
    return [count(sessions), ...cells, withSpread(redis)]
  })
  const heads = WORKS.flatMap((work) => [`${work} / ${count(first)}`, `${work} / raw`])
  const columns = ['Sessions in Redis: CPU', ...heads, 'of Redis, read']
  return { title: 'Number of sessions', columns, rows }
}

function sizeTable(figures: Figures): Table {
  const sizes = figures.numbers('bytes', { by: 'size', kind: 'cost' })
  const [first = 0] = sizes
  const of = (bytes: number, work: string, variant: string): Labels => ({
    ...{ ...COST, by: 'size', bytes, work, variant },
  })
  const rows = sizes.map((bytes) => {
    const cells = WORKS.flatMap((work) => {
      const mine = of(bytes, work, 'sojourn')
      return [
        withSpread(figures.ratio(mine, of(first, work, 'sojourn'), 'cpu')),
        withSpread(figures.ratio(mine, of(bytes, work, 'raw'), 'cpu')),
      ]
    })
    const traffic = { by: 'size', kind: 'traffic', variant: 'sojourn', work: 'write', bytes }
    return [size(bytes), ...cells, figures.median(traffic, 'sent').toFixed(0)]
  })
  const heads = WORKS.flatMap((work) => [`${work} / ${size(first)}`, `${work} / raw`])
  const columns = ['Size of a session: CPU', ...heads, 'bytes sent to write']
  return { title: 'Size of a session', columns, rows }
}

function namesTable(figures: Figures): Table {
  const base = figures.where({ by: 'names', changed: 0 })[0]?.of ?? {}
  const rows = figures.where({ by: 'names' }).map(({ of }) => {
    const changed = Number(of['changed'])
    return [
      `${count(Number(of['names']))}, ${changed === 0 ? 'one is read' : `${count(changed)} changed`}`,
      withSpread(figures.ratio(of, base, 'cpu')),
      withSpread(figures.ratio(of, base, 'wait')),
      figures.median(of, 'sent').toFixed(0),
    ]
  })
  const columns = [
    'Names in a session of 16 KB',
    'CPU / one name read',
    'wait / one name read',
    'bytes sent',
  ]
  return { title: 'Names and changes', columns, rows }
}

function writersTable(figures: Figures): Table {
  const engines = figures.names('engine', { by: 'writers' })
  const rows = engines.map((engine) => {
    const [hot, apart] = [
      { by: 'writers', engine, sessions: 1 },
      { by: 'writers', engine, sessions: 64 },
    ]
    const sum = (of: Labels, figure: string): number =>
      figures.all(of, figure).reduce((total, found) => total + found, 0)
    return [
      engine,
      withSpread(figures.ratio(hot, apart, 'rate')),
      withSpread(figures.ratio(hot, apart, 'cpu')),
      `${sum(hot, 'lost') + sum(apart, 'lost')}`,
      `${sum(hot, 'refused')}`,
    ]
  })
  const columns = [
    '64 writers at once',
    'writes/s / each its own',
    'CPU / each its own',
    'lost',
    'refused',
  ]
  return { title: 'One session, 64 writers', columns, rows }
}

function countChart(figures: Figures): Lines {
  const counts = figures.numbers('sessions', { by: 'sessions' })
  const of = (sessions: number, work: string, variant: string): Labels => ({
    ...{ ...COST, by: 'sessions', sessions, bytes: 200, work, variant },
  })
  const to = of(counts[0] ?? 0, 'read', 'raw')
  return {
    kind: 'lines',
    name: 'growth-sessions',
    title: 'CPU of a request, with more and more sessions in Redis',
    unit: `in terms of a bare GET with ${count(counts[0] ?? 0)}`,
    points: counts.map(count),
    series: seriesOf((work, variant) => {
      return counts.map((sessions) => figures.ratio(of(sessions, work, variant), to, 'cpu').value)
    }),
  }
}

function sizeChart(figures: Figures): Lines {
  const sizes = figures.numbers('bytes', { by: 'size', kind: 'cost' })
  const of = (bytes: number, work: string, variant: string): Labels => ({
    ...{ ...COST, by: 'size', bytes, work, variant },
  })
  const to = of(sizes[0] ?? 0, 'read', 'raw')
  return {
    kind: 'lines',
    name: 'growth-size',
    title: 'CPU of a request, with larger and larger sessions',
    unit: `in terms of a bare GET of ${size(sizes[0] ?? 0)}`,
    points: sizes.map(size),
    series: seriesOf((work, variant) => {
      return sizes.map((bytes) => figures.ratio(of(bytes, work, variant), to, 'cpu').value)
    }),
  }
}

function seriesOf(values: (work: string, variant: string) => readonly number[]): Lines['series'] {
  return [
    { label: 'sojourn, read', values: values('read', 'sojourn') },
    { label: 'bare GET', values: values('read', 'raw') },
    { label: 'sojourn, write', values: values('write', 'sojourn') },
    { label: 'bare GET and SET', values: values('write', 'raw') },
  ]
}
