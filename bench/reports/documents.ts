import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Result } from '../support/results.ts'
import { capacityOf } from './capacity.ts'
import { svgOf } from './chart.ts'
import { reportEngines } from './engines.ts'
import { reportGrowth } from './growth.ts'
import { reportNearCache } from './near-cache.ts'
import { reportOverhead } from './overhead.ts'
import { reportParts } from './parts.ts'
import { reportScaleOut } from './scale-out.ts'
import { markdownOf, type Section } from './section.ts'
import { targetsTable } from './targets.ts'

type Results = ReadonlyMap<string, Result>

/** What makes words, tables and charts of the rows of a question. */
const REPORTS: Readonly<Record<string, (result: Result) => Section>> = {
  overhead: reportOverhead,
  engines: reportEngines,
  growth: reportGrowth,
  parts: reportParts,
  'scale-out': reportScaleOut,
  'near-cache': reportNearCache,
}

export function sectionOf(result: Result): Section {
  const report = REPORTS[result.question]
  if (report === undefined) throw new Error(`There is no report of ${result.question}.`)
  return report(result)
}

/** Writes performance.md, capacity.md and the charts from results. */
export function writeDocuments(folder: string, results: Results): void {
  mkdirSync(`${folder}/charts`, { recursive: true })
  for (const result of results.values()) {
    for (const chart of sectionOf(result).charts) {
      writeFileSync(`${folder}/charts/${chart.name}.svg`, svgOf(chart))
    }
  }
  writeFileSync(`${folder}/performance.md`, performanceOf(results))
  const capacity = capacityOf(results)
  if (capacity !== undefined) writeFileSync(`${folder}/capacity.md`, capacity)
}

function performanceOf(results: Results): string {
  const sections = [...results.values()].map(sectionText)
  return `${[HEAD, METHOD, targetsText(results), ...sections, machineText(results), versionsText(), HOW].join('\n\n')}\n`
}

const HEAD = `<!-- Written by npm run bench -- --report: do not edit. -->

# Performance

What a session costs, measured side by side with what else can be used. Only ratios within one table mean anything: they are of runs that
took turns (A B C, A B C), each with a fresh process, and are the medians of the ratios of the rounds, with half the distance between their
quartiles (±). Lower is better unless a column says otherwise.`

const METHOD = `CPU is user and system time of the server's process for each request. The load is a process of Node that keeps its connections busy, one
request at a time on each, and polls while it works: if it slept, the server would have to wake it with each answer, which on a
virtual machine costs as much as a small request, and costs it only to servers that answer each request by itself, not to those whose answers
come together from Redis. Before anything counts a server is warmed up with all that it will be asked for; in a full run until it has answered
150,000 requests in all or six seconds have passed. Then the servers of a framework take five turns of a quarter of a second each (half of that for
64 KB and for other numbers of connections), and what counts for the round is the median: this machine is at times half as fast as at others,
and so all have a part in both. For growth and scale-out it is one turn of half a second, after a third of the warm-up.`

const NOISE = `An overhead as a part of another is the median of what sojourn added to the bare server in each round, beside the median of what the other
added. Where sojourn adds less than the noise (half the distance between the quartiles of what it added), it says of what part that noise is
(\`< 0.04\`): the target is then reached if that is within it, and unclear if the noise is larger than what was to be seen.
[Where the time goes](performance-profile.md) says why targets are missed.`

function targetsText(results: Results): string {
  const table = targetsTable(results)
  const reached = table.rows.filter((row) => row.at(-1)?.startsWith('yes')).length
  return `## Targets

${reached} of ${table.rows.length} are reached.

${markdownOf(table)}

${NOISE}`
}

function sectionText(result: Result): string {
  const { title, text, tables, charts } = sectionOf(result)
  const images = charts.map(({ name, title: alt }) => `![${alt}](charts/${name}.svg)`)
  const shown = tables.map((table) => `### ${table.title}\n\n${markdownOf(table)}`)
  return [`## ${title}`, text, ...images, ...shown].join('\n\n')
}

/** Each machine once, and what was measured on it under which load. */
function machineText(results: Results): string {
  const all = [...results.values()]
  const machines = new Map(all.map(({ machine }) => [JSON.stringify(machine), machine]))
  const shown = [...machines.values()].map(
    ({ system, processor, cores, memory, pinned, versions }) => {
      const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
      const place = pinned
        ? 'what is measured on one core, the load and the engines on another'
        : 'nothing is bound to a core'
      return `${cores} cores (${processor}), ${memory} GB, ${system}; ${names.join(', ')}; ${place}.`
    },
  )
  const runs = all.map(({ question, size, day, seconds, load, rows }) => {
    const rounds = Math.max(
      ...rows.flatMap((row) => Object.values(row.figures).map((list) => list.length)),
    )
    const others = otherWork(rows)
    const minutes = `${Math.round(seconds / 60)} min`
    return `* ${question}: ${size}, ${rounds} rounds, ${minutes}, ${day}; load average ${load.join(' before, ')} after${others}`
  })
  return ['## The machine', ...shown, `How noisy it was:\n\n${runs.join('\n')}`].join('\n\n')
}

/** How much of the measured core others took. */
function otherWork(rows: Result['rows']): string {
  const shares = rows.flatMap((row) => row.figures['others'] ?? [])
  if (shares.length === 0) return ''
  const sorted = shares.toSorted((left, right) => left - right)
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0
  return `; others took ${(middle * 100).toFixed(0)} % of the measured core (median of the bursts)`
}

const HOW = `## How to run it

\`\`\`
npm run bench                       # everything: about an hour, on a machine that does nothing else
npm run bench -- --quick            # about 8 minutes; writes to .build/bench, not to this page
npm run bench -- --only overhead    # one question (may be repeated)
npm run bench -- --resume           # goes on with what is missing, or was measured before src changed
npm run bench -- --report           # writes this page, capacity.md and the charts from bench/results
\`\`\`

It installs what it needs: the packages of \`bench/\` and the engines from Debian. The server under test runs on one core, the load and the engines on
another. The figures of every round are in \`bench/results\`, in microseconds, for those who look for what to make faster.`

function versionsText(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> }
  const names = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`)
  return `Versions: ${names.join(', ')}.`
}
