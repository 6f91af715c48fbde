import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Machine } from './machine.ts'
import type { Size } from './question.ts'
import type { Row } from './samples.ts'

/** What one question found. */
export interface Result {
  readonly question: string
  readonly size: Size
  /** The day, in UTC. */
  readonly day: string
  /** How long it took. */
  readonly seconds: number
  /** Of `src`. */
  readonly sources: string
  readonly machine: Machine
  /** How many processes wanted to run, on average over a minute, before the first round and after the last. */
  readonly load: readonly [before: number, after: number]
  readonly rows: readonly Row[]
}

/** Keeps a result; each row is a line, so that changes can be read. */
export function writeResult(folder: string, result: Result): void {
  const { rows, ...head } = result
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`)
  const text = `${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "rows": [\n${lines.join(',\n')}\n  ]\n}\n`
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(folder, result.question), text)
}

/** The result that is kept; undefined if there is none. */
export function readResult(folder: string, question: string): Result | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder, question), 'utf8')) as Result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function fileOf(folder: string, question: string): string {
  return `${folder}/${question}.json`
}
