import { Figures, type Labels } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import { count, markdownOf, size, times } from './section.ts'

/** What an application is taken to do; readers put their own. */
const USE = {
  /** Seconds between two requests of a session that is alive. */
  pause: 60,
  /** The part of the requests that change something. */
  writing: 0.2,
  /** How busy a core may be. */
  busy: 0.5,
  /** How full memory may be. */
  full: 0.7,
} as const

/** In whatever currency, for a month. Examples, to show the formula. */
const PRICES = { gigabyte: 4, core: 20 } as const

const SESSIONS = [1_000_000, 10_000_000, 100_000_000] as const

interface Measured {
  readonly bytes: number
  /** Bytes of Redis for a session. */
  readonly memory: number
  /** Microseconds of CPU: of Redis, and of the server (node:http). */
  readonly redis: { readonly read: number; readonly write: number }
  readonly server: { readonly read: number; readonly write: number }
}

/** How much it takes to serve many sessions, computed from what was measured. */
export function capacityOf(results: ReadonlyMap<string, Result>): string | undefined {
  const [overhead, growth] = [results.get('overhead'), results.get('growth')]
  if (overhead === undefined || growth === undefined) return undefined
  const measured = measuredOf(new Figures(overhead.rows), new Figures(growth.rows))
  return `${[head(measured), ...measured.map(sheet), TAIL].join('\n\n')}\n`
}

function measuredOf(overhead: Figures, growth: Figures): Measured[] {
  const kept = growth.where({ by: 'memory', keeper: 'sojourn' })
  const sizes = new Set(kept.map(({ of }) => Number(of['bytes'])))
  return [...sizes].flatMap((bytes) => {
    const most = kept.filter(({ of }) => of['bytes'] === bytes).at(-1)?.of ?? {}
    const of = (work: string): Labels => ({
      ...{ kind: 'cost', group: 'node', variant: 'sojourn', connections: 32, work, bytes },
    })
    if (!overhead.has(of('read')) || !overhead.has(of('write'))) return []
    const both = (figure: string): Measured['redis'] => ({
      read: overhead.median(of('read'), figure),
      write: overhead.median(of('write'), figure),
    })
    return [
      {
        bytes,
        memory: growth.median(most, 'memory'),
        redis: both('redisCpu'),
        server: both('cpu'),
      },
    ]
  })
}

function head(measured: readonly Measured[]): string {
  const rows = measured.map(({ bytes, memory, redis, server }) => [
    size(bytes),
    memory.toFixed(0),
    ...[redis.read, redis.write, server.read, server.write].map((cpu) => cpu.toFixed(0)),
  ])
  const columns = [
    ...['Values of a session', '`bytes`: Redis, a session', '`redis.read`', '`redis.write`'],
    ...['`server.read`', '`server.write`'],
  ]
  return `<!-- Written by npm run bench -- --report: do not edit. -->

# Capacity

How much memory and how many processor cores it takes to keep many sessions, computed from figures that were measured (see
[performance](performance.md)). It is an estimate to begin with: measure your own application before you buy anything.

## What was measured

CPU in microseconds for a request, on the machine that performance.md describes; on another machine these numbers are others. The
server's include \`node:http\` itself, not your application.

${markdownOf({ title: '', columns, rows })}

## The formula

\`\`\`
requests/s     = sessions / pause                    pause: seconds between two requests of one session, here ${USE.pause}
commands/s     = requests/s * (1 + writing)          writing: the part of the requests that change something, here ${USE.writing}
memory         = sessions * bytes / full             full: how full memory may be, here ${USE.full}
Redis cores    = requests/s * ((1 - writing) * redis.read + writing * redis.write) / 1,000,000 / busy
server cores   = requests/s * ((1 - writing) * server.read + writing * server.write) / 1,000,000 / busy
cost           = memory in GB * price of a GB + (Redis cores + server cores) * price of a core
\`\`\`

\`busy\` is how busy a core may be on average, here ${USE.busy}. One Redis process uses one core for commands, so the number of primaries is the number of
Redis cores rounded up, or what memory asks for if that is more. A replica for each primary doubles memory and Redis cores. The prices are examples in any
currency, for a month: ${PRICES.gigabyte} for a GB, ${PRICES.core} for a core. Put your own.`
}

function sheet(measured: Measured): string {
  const rows = SESSIONS.map((sessions) => rowOf(sessions, measured))
  const columns = [
    ...[
      'Live sessions',
      'requests/s',
      'commands/s',
      'memory, GB',
      'Redis cores',
      'server cores',
      'cost',
    ],
  ]
  return `## Sessions of ${size(measured.bytes)}\n\n${markdownOf({ title: '', columns, rows })}`
}

function rowOf(sessions: number, { memory, redis, server }: Measured): string[] {
  const requests = sessions / USE.pause
  const gigabytes = (sessions * memory) / USE.full / 1e9
  const [redisCores, serverCores] = [redis, server].map(({ read, write }) => {
    const cpu = (1 - USE.writing) * read + USE.writing * write
    return (requests * cpu) / 1e6 / USE.busy
  })
  const cost = gigabytes * PRICES.gigabyte + ((redisCores ?? 0) + (serverCores ?? 0)) * PRICES.core
  return [
    count(sessions),
    count(Math.round(requests)),
    count(Math.round(requests * (1 + USE.writing))),
    times(gigabytes),
    times(redisCores ?? 0),
    times(serverCores ?? 0),
    count(Math.round(cost)),
  ]
}

const TAIL = `## More than one Redis

A session is one key, and all that is done with it is done on the node of that key: with a cluster of n primaries each has an n-th of
the memory and of the commands. performance.md shows how evenly keys are spread, and that a request touches one node.`
