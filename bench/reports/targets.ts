import { Figures, type Labels, type Ratio, type Share } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import { count, shareText, size, times, type Table } from './section.ts'

/** What is to be reached, and what was measured. */
export interface Target {
  readonly label: string
  /** Undefined: it is shown beside the others, nothing is asked of it. */
  readonly most?: number
  readonly found: Share
}

type Wanted = Omit<Target, 'found'> & {
  readonly of: Labels
  readonly to: Labels
}

const READ = { kind: 'cost', work: 'read', bytes: 200, connections: 32 } as const
const WRITE = { ...READ, work: 'write' } as const

/** The request beside a bare GET, or GET and SET. */
export function rawTargets(figures: Figures): Target[] {
  const node = (variant: string, more: Labels): Labels => ({ ...more, group: 'node', variant })
  const against = (label: string, more: Labels, most?: number): Wanted => ({
    ...{ label, of: node('sojourn', more), to: node('raw', more) },
    ...(most === undefined ? {} : { most }),
  })
  return measured(figures, 'cpu', [
    against('node:http, read 200 B', READ, 1.4),
    against('node:http, write 200 B', WRITE, 1.5),
    against('node:http, read 4 KB', { ...READ, bytes: 4096 }, 1.3),
    against('node:http, write 4 KB', { ...WRITE, bytes: 4096 }, 1.3),
    against('node:http, read 64 KB', { ...READ, bytes: 65_536 }),
    against('node:http, write 64 KB', { ...WRITE, bytes: 65_536 }),
  ])
}

/** What sojourn adds to a framework, as a part of what the usual library adds. */
export function shareTargets(figures: Figures): Target[] {
  const large = { ...READ, bytes: 4096 }
  return [
    share('express', 'express-session', 'read 200 B', READ, 1 / 8),
    share('fastify', 'fastify-session', 'read 200 B', READ, 1 / 6),
    share('fastify', 'fastify-session-not-rolling', 'read 200 B', READ, 1 / 4),
    share('koa', 'koa-session', 'read 200 B', READ, 1 / 5),
    share('hono', 'hono-sessions', 'read 200 B', READ, 1 / 20),
    share('express', 'express-session', 'read 4 KB', large, 1 / 15),
    share('express', 'express-session', 'write 200 B', WRITE, 1 / 5),
    share('fastify', 'fastify-session', 'write 200 B', WRITE, 1 / 5),
    share('koa', 'koa-session', 'write 200 B', WRITE, 1 / 5),
    share('hono', 'hono-sessions', 'write 200 B', WRITE, 1 / 5),
  ].flatMap(({ group, peer, what, work, most }) => {
    const of = { ...work, group, variant: 'sojourn' }
    const [to, bare] = [
      { ...of, variant: peer },
      { ...of, variant: 'bare' },
    ]
    if (![of, to, bare].every((labels) => figures.has(labels))) return []
    const found = figures.shareAbove(of, to, bare, 'cpu')
    return [{ label: `${SHOWN[peer] ?? peer}, ${what}`, most, found }]
  })
}

const SHOWN: Readonly<Record<string, string>> = {
  'fastify-session': '@fastify/session',
  'fastify-session-not-rolling': '@fastify/session rolling:false',
}

interface WantedShare {
  readonly group: string
  readonly peer: string
  readonly what: string
  readonly work: Labels
  readonly most: number
}

function share(group: string, peer: string, what: string, work: Labels, most: number): WantedShare {
  return { group, peer, what, work, most }
}

/** Everything that is to be reached, with what was. */
export function targetsTable(results: ReadonlyMap<string, Result>): Table {
  const overhead = figuresOf(results, 'overhead')
  const growth = figuresOf(results, 'growth')
  const rows = [
    ...rawTargets(overhead).map(({ label, ...more }) => ({
      label: `CPU beside the raw limit: ${label}`,
      ...more,
    })),
    ...shareTargets(overhead).map(({ label, ...more }) => ({
      label: `overhead as a part of that of ${label}`,
      ...more,
    })),
    ...waitTargets(overhead),
    ...embeddedTargets(overhead),
    ...commandTargets(overhead),
    ...memoryTargets(growth),
  ].filter(({ most }) => most !== undefined)
  return {
    title: 'Targets',
    columns: ['', 'at most', 'measured', 'reached'],
    rows: rows.map(({ label, most = 0, found }) => [
      ...[label, times(most), shareText(found)],
      isReached(found, most),
    ]),
  }
}

function figuresOf(results: ReadonlyMap<string, Result>, question: string): Figures {
  return new Figures(results.get(question)?.rows ?? [])
}

/** Noise says that a target is reached only if it is itself small enough. */
function isReached(found: Share, most: number): string {
  switch (found.kind) {
    case 'unknown':
      return 'unclear'
    case 'within noise':
      return found.below <= most ? 'yes (not above the noise)' : 'unclear'
    case 'share':
      return found.value <= most ? 'yes' : 'no'
  }
}

function waitTargets(figures: Figures): Target[] {
  const node = { ...READ, group: 'node' }
  const [of, to] = [
    { ...node, variant: 'sojourn' },
    { ...node, variant: 'raw' },
  ]
  const label = 'p99 beside the raw limit, read 200 B, 32 connections'
  return measured(figures, 'p99', [{ label, most: 2, of, to }])
}

function embeddedTargets(figures: Figures): Target[] {
  const wanted = (group: string, most: number): Wanted => {
    const to = { ...READ, group, variant: 'bare' }
    const label = `CPU with the embedded engine beside ${group} bare, read 200 B`
    return { label, most, of: { ...to, variant: 'sojourn-embedded' }, to }
  }
  return measured(figures, 'cpu', [wanted('node', 1.5), wanted('express', 1.1)])
}

/** In all frameworks; the worst of them is shown. */
function commandTargets(figures: Figures): Target[] {
  const all = figures.where({ kind: 'traffic', variant: 'sojourn' })
  const most = (work: string): Share => {
    const found = all.filter(({ of }) => of['work'] === work)
    return exactly(Math.max(...found.map((row) => row.figures['commands']?.[0] ?? Number.NaN)))
  }
  const commands = [
    { label: 'Redis commands of a request that reads', most: 1, found: most('read') },
    { label: 'Redis commands of a request that writes', most: 2, found: most('write') },
    { label: 'Redis commands of a request without a cookie', most: 0, found: most('no cookie') },
  ]
  return all.length === 0 ? [] : [...commands, ...sentTargets(figures)]
}

/** A write sends what changed: however large the session is. */
function sentTargets(figures: Figures): Target[] {
  const write = { kind: 'traffic', group: 'node', variant: 'sojourn', work: 'write' }
  const sizes = figures.numbers('bytes', write)
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)]
  if (smallest === largest) return []
  const label = `bytes sent to change one value of ${size(largest)}, beside ${size(smallest)}`
  const [of, to] = [
    { ...write, bytes: largest },
    { ...write, bytes: smallest },
  ]
  return measured(figures, 'sent', [{ label, most: 1.1, of, to }])
}

function memoryTargets(figures: Figures): Target[] {
  const keepers = [
    ['sojourn', ''],
    ['sojourn-lean', ', lean'],
  ] as const
  return keepers.flatMap(([keeper, lean]) => {
    return figures.where({ by: 'memory', keeper }).flatMap(({ of: labels }) => {
      const sessions = `${count(Number(labels['sessions']))} sessions of ${size(Number(labels['bytes']))}`
      const label = `memory in Redis beside connect-redis with the same data${lean}, ${sessions}`
      const to = { ...labels, keeper: 'connect-redis-client' }
      return measured(figures, 'memory', [{ label, most: 1, of: labels, to }])
    })
  })
}

function measured(figures: Figures, figure: string, all: readonly Wanted[]): Target[] {
  return all
    .filter(({ of, to }) => figures.has(of) && figures.has(to))
    .map(({ of, to, ...target }) => ({ ...target, found: asShare(figures.ratio(of, to, figure)) }))
}

function exactly(value: number): Share {
  return asShare({ value, spread: 0 })
}

function asShare(ratio: Ratio): Share {
  return { kind: 'share', ...ratio }
}
