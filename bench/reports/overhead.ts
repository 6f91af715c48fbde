import { Figures, type Labels, type Row, type Share } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import type { Bar } from './chart.ts'
import { size, times, withSpread, type Section, type Table } from './section.ts'
import { shareTargets, rawTargets } from './targets.ts'

/** What servers are called. */
const NAMES: Readonly<Record<string, string>> = {
  bare: 'no session',
  raw: 'bare GET (GET and SET)',
  'raw-defaults': 'bare GET, node-redis with its defaults',
  'raw-ioredis': 'bare GET, ioredis',
  sojourn: '**sojourn**',
  'sojourn-embedded': '**sojourn**, embedded engine',
  'sojourn-memory': '**sojourn**, memory',
  'express-session': 'express-session, connect-redis',
  'fastify-session': '@fastify/session, connect-redis',
  'fastify-session-not-rolling': '@fastify/session, `rolling: false`',
  'secure-session': '@fastify/secure-session (cookie only)',
  'koa-session': 'koa-session, JSON in Redis',
  'hono-sessions': 'hono-sessions, JSON in Redis',
  'hono-sessions-plain': 'hono-sessions, without encryption',
  'iron-session': 'iron-session (cookie only)',
}

/** How servers stand to each other. */
export function reportOverhead({ rows }: Result): Section {
  const figures = new Figures(rows)
  return {
    title: 'Overhead per request',
    text:
      'Servers side by side: bare, with sojourn, with what is usual there. CPU is that of the server process, ' +
      'for one request; everything is in terms of the same framework without sessions. Commands that were sent are ' +
      'counted by `MONITOR`, those that Redis ran by `INFO commandstats`: it counts what scripts call, too.',
    tables: [
      ...groupsOf(figures).map((group) => groupTable(figures, group)),
      crowdTable(figures),
      trafficTable(figures),
    ],
    charts: [
      {
        kind: 'bars',
        name: 'overhead',
        title: 'What sojourn adds to a request',
        unit: 'in per cent of what the usual library adds (CPU); the mark is the target',
        bars: shareBars(figures),
      },
      {
        kind: 'bars',
        name: 'raw-limit',
        title: 'A request with a session, beside the least that it can cost',
        unit: 'CPU of node:http with sojourn, in terms of node:http with a bare GET (GET and SET); the mark is the target',
        bars: rawBars(figures),
      },
    ],
  }
}

function groupsOf(figures: Figures): readonly string[] {
  return figures.names('group', { kind: 'cost' })
}

/** CPU, requests in a second and the slowest of a hundred, in terms of the bare framework. */
function groupTable(figures: Figures, group: string): Table {
  const cost = { kind: 'cost', group, connections: 32 }
  const bare = { ...cost, variant: 'bare' }
  const sizes = figures.numbers('bytes', cost)
  const works = sizes.flatMap((bytes) => ['read', 'write'].map((work) => ({ work, bytes })))
  const rows = figures.names('variant', cost).map((variant) => {
    const cells = works.map((of) =>
      cpuCell(figures, { ...cost, variant, ...of }, { ...bare, ...of }),
    )
    const read = { work: 'read', bytes: 200 }
    const [rate, p50, p99] = ['rate', 'p50', 'p99'].map((name) => {
      const ratio = figures.ratio({ ...cost, variant, ...read }, { ...bare, ...read }, name)
      return times(ratio.value)
    })
    return [NAMES[variant] ?? variant, ...cells, rate ?? '', p50 ?? '', p99 ?? '']
  })
  const heads = works.map(({ work, bytes }) => `${work} ${size(bytes)}`)
  const columns = ['CPU, 32 connections', ...heads, 'requests/s', 'p50', 'p99']
  return { title: titleOf(group), columns, rows }
}

function titleOf(group: string): string {
  return group === 'node' ? 'node:http' : group.charAt(0).toUpperCase() + group.slice(1)
}

function cpuCell(figures: Figures, of: Labels, bare: Labels): string {
  return figures.has(of) && figures.has(bare) ? withSpread(figures.ratio(of, bare, 'cpu')) : ''
}

/** The same, over one connection and over many. */
function crowdTable(figures: Figures): Table {
  const counts = figures.numbers('connections', { kind: 'cost', work: 'read', bytes: 200 })
  const rows = groupsOf(figures).flatMap((group) => {
    const variants = figures.names('variant', { kind: 'cost', group })
    return variants.map((variant) => {
      const cells = counts.flatMap((connections) => {
        const of = { kind: 'cost', group, variant, work: 'read', bytes: 200, connections }
        const bare = { ...of, variant: 'bare' }
        if (!figures.has(of) || !figures.has(bare)) return ['', '']
        return ['cpu', 'p99'].map((name) => times(figures.ratio(of, bare, name).value))
      })
      return [`${titleOf(group)}, ${NAMES[variant] ?? variant}`, ...cells]
    })
  })
  const heads = counts.flatMap((connections) => [`${connections}: CPU`, `${connections}: p99`])
  return { title: 'Connections at once, read 200 B', columns: ['', ...heads], rows }
}

/** Commands and bytes that a request sends to Redis. */
function trafficTable(figures: Figures): Table {
  const all = figures.where({ kind: 'traffic' }).filter(({ of, figures: found }) => {
    return of['work'] !== 'no cookie' && (found['commands']?.[0] ?? 0) > 0
  })
  const rows = all.map(({ of, figures: found }) => {
    const server = `${titleOf(String(of['group']))}, ${NAMES[String(of['variant'])]}`
    const work = `${of['work']} ${size(Number(of['bytes']))}`
    const bytes = ['sent', 'received'].map((name) => (found[name]?.[0] ?? 0).toFixed(0))
    return [server, work, namesOf(found, 'command '), namesOf(found, 'call '), ...bytes]
  })
  const columns = ['', 'request', 'commands sent', 'run in Redis', 'bytes sent', 'bytes received']
  return { title: 'What one request sends to Redis', columns, rows }
}

/** What there is of a kind: `GET EVALSHA`, with how often if that is not once. */
function namesOf(figures: Row['figures'], kind: 'command ' | 'call '): string {
  const found = Object.entries(figures).filter(([name]) => name.startsWith(kind))
  const names = found.map(([name, [often = 0]]) => {
    return `${often === 1 ? '' : `${times(often)} `}${name.slice(kind.length)}`
  })
  return names.join(' ')
}

function shareBars(figures: Figures): Bar[] {
  return shareTargets(figures).map(({ label, most, found }) => bar(label, found, most, 100))
}

function rawBars(figures: Figures): Bar[] {
  return rawTargets(figures).map(({ label, most, found }) => bar(label, found, most, 1))
}

function bar(label: string, found: Share, most: number | undefined, unit: number): Bar {
  const bar = { label, value: heightOf(found) * unit }
  return most === undefined ? bar : { ...bar, most: most * unit }
}

/** What is not above the noise has no bar. */
function heightOf(found: Share): number {
  if (found.kind === 'unknown') return Number.NaN
  return found.kind === 'share' ? found.value : 0
}
