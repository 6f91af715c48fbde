import { Figures } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import { size, times, withSpread, type Section, type Table } from './section.ts'

const NAMES: Readonly<Record<string, string>> = {
  memory: 'memory (raw: a Map)',
  embedded: 'embedded (raw: LMDB)',
  'node-redis': 'Redis, node-redis',
  ioredis: 'Redis, ioredis',
  iovalkey: 'Redis, iovalkey',
  glide: 'Redis, GLIDE',
  hash: 'Redis, node-redis, hash prototype',
  memcached: 'Memcached',
  postgres: 'PostgreSQL, pg',
  sqlite: 'SQLite, libsql',
}
const REFERENCE = 'node-redis'

/** How the engines stand to their own reads and writes, and to each other. */
export function reportEngines({ rows }: Result): Section {
  const figures = new Figures(rows)
  const sizes = figures.numbers('bytes')
  const [smallest = 0] = sizes
  return {
    title: 'Engines',
    text:
      'The store alone, without HTTP, 32 calls at a time: CPU of the process for a load and for a commit that changes one value. ' +
      'Once in terms of what the engine itself takes to read or to write one text of that size with the same client, and ' +
      'once in terms of a load (a commit) with Redis and node-redis. The hash is a prototype of a layout that was not chosen.',
    tables: sizes.map((bytes) => table(figures, bytes)),
    charts: [
      {
        kind: 'bars',
        name: 'engines',
        title: `CPU of a load, session of ${size(smallest)}`,
        unit: 'in terms of Redis with node-redis; logarithmic',
        logarithmic: true,
        bars: figures.names('engine').map((engine) => {
          const of = { engine, bytes: smallest, work: 'load' }
          const to = { ...of, engine: REFERENCE }
          return { label: NAMES[engine] ?? engine, value: figures.ratio(of, to, 'cpu').value }
        }),
      },
    ],
  }
}

function table(figures: Figures, bytes: number): Table {
  const rows = figures.names('engine').map((engine) => {
    const cell = (work: string, to: { engine: string; work: string }, figure: string): string => {
      const [of, other] = [
        { engine, bytes, work },
        { bytes, ...to },
      ]
      return figures.has(other) ? withSpread(figures.ratio(of, other, figure)) : '–'
    }
    return [
      NAMES[engine] ?? engine,
      cell('load', { engine, work: 'read' }, 'cpu'),
      cell('commit', { engine, work: 'write' }, 'cpu'),
      cell('load', { engine: REFERENCE, work: 'load' }, 'cpu'),
      cell('commit', { engine: REFERENCE, work: 'commit' }, 'cpu'),
      times(
        figures.ratio(
          { engine, bytes, work: 'load' },
          { engine: REFERENCE, bytes, work: 'load' },
          'wait',
        ).value,
      ),
      times(
        figures.ratio(
          { engine, bytes, work: 'commit' },
          { engine: REFERENCE, bytes, work: 'commit' },
          'wait',
        ).value,
      ),
    ]
  })
  const columns = [
    ...['', 'load / raw read', 'commit / raw write', 'load / Redis', 'commit / Redis'],
    ...['wait for a load / Redis', 'wait for a commit / Redis'],
  ]
  return { title: `Sessions of ${size(bytes)}`, columns, rows }
}
