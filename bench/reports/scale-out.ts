import { Figures, type Labels } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import type { Lines } from './chart.ts'
import { times, withSpread, type Section, type Table } from './section.ts'

const COST = { kind: 'cost', group: 'node', bytes: 200 } as const

/** What changes with the number of nodes. */
export function reportScaleOut({ rows }: Result): Section {
  const figures = new Figures(rows)
  return {
    title: 'Scale-out',
    text:
      'A Redis Cluster of more and more primaries, all on one core of this machine: so this shows that the cost of a request stays the ' +
      'same and that the work is divided evenly, not how many requests many machines answer. `node:http`, sessions of 200 B, node-redis.',
    tables: [table(figures)],
    charts: [chart(figures)],
  }
}

function costOf(nodes: number, work: string, variant = 'sojourn-cluster'): Labels {
  return { ...COST, nodes, work, variant }
}

function table(figures: Figures): Table {
  const nodes = figures.numbers('nodes', { kind: 'cost' })
  const [first = 1] = nodes
  const grown = (count: number, work: string, figure: string): string =>
    withSpread(figures.ratio(costOf(count, work), costOf(first, work), figure))
  const rows = nodes.map((count) => {
    const raw = costOf(count, 'read', 'raw-cluster')
    const spread = { kind: 'spread', nodes: count }
    return [
      `${count}`,
      ...[
        grown(count, 'read', 'cpu'),
        grown(count, 'write', 'cpu'),
        grown(count, 'read', 'redisCpu'),
      ],
      withSpread(figures.ratio(costOf(count, 'read'), raw, 'cpu')),
      times(nodesOfRequest(figures, count)),
      ...['most', 'least'].map((figure) => times(figures.median(spread, figure))),
    ]
  })
  const columns = [
    ...['', `CPU, read / ${first}`, `CPU, write / ${first}`, `CPU of all nodes, read / ${first}`],
    ...['CPU, read / bare GET', 'nodes of a request', 'fullest node / share', 'emptiest / share'],
  ]
  return { title: 'Primaries', columns, rows }
}

function chart(figures: Figures): Lines {
  const nodes = figures.numbers('nodes', { kind: 'cost' })
  const [first = 1] = nodes
  const to = costOf(first, 'read', 'raw-cluster')
  return {
    kind: 'lines',
    name: 'scale-out',
    title: 'CPU of a request with more primaries',
    unit: `in terms of a bare GET with ${first} primary`,
    points: nodes.map(String),
    series: ['sojourn-cluster', 'raw-cluster'].map((variant) => ({
      label: variant === 'raw-cluster' ? 'bare GET' : 'sojourn, read',
      values: nodes.map((count) => figures.ratio(costOf(count, 'read', variant), to, 'cpu').value),
    })),
  }
}

/** How many nodes one session's requests reach, reading and writing: the most that was seen. */
function nodesOfRequest(figures: Figures, nodes: number): number {
  const seen = ['read', 'write'].map((work) => {
    const of = { kind: 'traffic', nodes, variant: 'sojourn-cluster', work }
    return Math.max(...figures.all(of, 'nodes'))
  })
  return Math.max(...seen)
}
