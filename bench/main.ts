/**
 * Runs the benchmarks, and writes what they found: `npm run bench -- --help`.
 *
 * @module
 */

import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { QUESTIONS, readArguments } from '../scripts/bench-arguments.js'
import type { QuestionName } from '../scripts/bench-arguments.js'
import { engines } from './questions/engines.ts'
import { growth } from './questions/growth.ts'
import { nearCache } from './questions/near-cache.ts'
import { overhead } from './questions/overhead.ts'
import { parts } from './questions/parts.ts'
import { scaleOut } from './questions/scale-out.ts'
import { sectionOf, writeDocuments } from './reports/documents.ts'
import { nanosecondsOf } from './reports/parts.ts'
import { textOf } from './reports/section.ts'
import { targetsTable } from './reports/targets.ts'
import { describeMachine, digestOfSources } from './support/machine.ts'
import { Progress } from './support/progress.ts'
import type { Question, Size } from './support/question.ts'
import { readResult, writeResult, type Result } from './support/results.ts'

const ANSWERS: Readonly<Record<QuestionName, Question>> = {
  ...{ overhead, engines, growth, parts },
  'scale-out': scaleOut,
  'near-cache': nearCache,
}
const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Job {
  readonly size: Size
  readonly questions: readonly Question[]
  /** Leave out what was measured already, in this size and since `src` changed. */
  readonly resume: boolean
  readonly results: string
  readonly documents: string
}

// Servers that were started end with this process, but only if it ends in order.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

const job = jobOf(readArguments(process.argv.slice(2)))
for (const [place, question] of job.questions.entries()) {
  // What fails is missing in the end; the others do not depend on it.
  await answer(question, place).catch((error: unknown) => {
    process.exitCode = 1
    say(`${question.name} failed: ${inspect(error)}`)
  })
}
report()

async function answer(question: Question, place: number): Promise<void> {
  const name = `${question.name} (${place + 1} of ${job.questions.length})`
  const sources = digestOfSources()
  if (job.resume && isFresh(readResult(job.results, question.name), sources)) {
    return say(`${name}: measured already`)
  }
  const about = job.size === 'full' ? `, about ${question.minutes} min` : ''
  say(`${name}${about}`)
  const [begun, before] = [Date.now(), currentLoad()]
  const rows = await question.measure(job.size, new Progress(name, say))
  const result: Result = {
    question: question.name,
    size: job.size,
    day: new Date().toISOString().slice(0, 10),
    seconds: Math.round((Date.now() - begun) / 1000),
    sources,
    machine: describeMachine(),
    load: [before, currentLoad()],
    rows,
  }
  writeResult(job.results, result)
  show(result)
}

function isFresh(result: Result | undefined, sources: string): boolean {
  return result !== undefined && result.size === job.size && result.sources === sources
}

function currentLoad(): number {
  return Number((loadavg()[0] ?? 0).toFixed(1))
}

function show(result: Result): void {
  for (const table of sectionOf(result).tables) say(textOf(table))
  if (result.question === 'parts') say(`\n${nanosecondsOf(result)}`)
}

/** What is written, from all results that there are, also those of earlier runs. */
function report(): void {
  const found = QUESTIONS.map((name) => readResult(job.results, name))
  const results = new Map(
    found.filter((result) => result !== undefined).map((result) => [result.question, result]),
  )
  if (results.size === 0) return say(`There are no results in ${job.results}.`)
  writeDocuments(job.documents, results)
  say(textOf(targetsTable(results)))
  say(`\nWritten: ${job.documents}/performance.md, capacity.md, charts`)
}

function jobOf({ only, ...asked }: ReturnType<typeof readArguments>): Job {
  const size = asked.smoke ? 'smoke' : asked.quick ? 'quick' : 'full'
  const questions = asked.report ? [] : (only ?? QUESTIONS).map((name) => ANSWERS[name])
  const folder = asked.to ?? (size === 'full' ? undefined : `${ROOT}.build/bench`)
  const results = folder === undefined ? `${ROOT}bench/results` : `${folder}/results`
  return { size, questions, resume: asked.resume, results, documents: folder ?? `${ROOT}docs` }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
