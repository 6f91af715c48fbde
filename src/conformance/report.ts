/** How one check ended. A SHOULD that does not hold is `warned`, not `failed`. */
export type Outcome = 'passed' | 'failed' | 'warned' | 'skipped'

/** The result of one check. */
export interface CheckResult {
  readonly id: string
  readonly level: string
  readonly title: string
  readonly outcome: Outcome
  /** How long it took. */
  readonly ms: number
  /** Why it was skipped, or what it found. */
  readonly message?: string
}

const MARKS: Readonly<Record<Outcome, string>> = {
  passed: 'ok',
  failed: 'FAILED',
  warned: 'warned',
  skipped: 'skipped',
}

/** What a run of the kit found. `toString()` is a table that closes with `N passed, N failed`. */
export class Report {
  /** What was checked and how. */
  readonly subject: string
  readonly results: readonly CheckResult[]

  constructor(subject: string, results: readonly CheckResult[]) {
    this.subject = subject
    this.results = results
  }

  get passed(): number {
    return this.#count('passed')
  }

  /** MUST clauses that do not hold. */
  get failed(): number {
    return this.#count('failed')
  }

  /** SHOULD clauses that do not hold. */
  get warned(): number {
    return this.#count('warned')
  }

  get skipped(): number {
    return this.#count('skipped')
  }

  toString(): string {
    const rest =
      this.warned + this.skipped === 0 ? [] : [`${this.warned} warned, ${this.skipped} skipped`]
    const total = `${this.passed} passed, ${this.failed} failed`
    return [this.subject, '', ...this.results.map(lineOf), '', ...rest, total].join('\n')
  }

  #count(outcome: Outcome): number {
    return this.results.filter((result) => result.outcome === outcome).length
  }
}

function lineOf({ id, level, title, outcome, ms, message }: CheckResult): string {
  const cells = [
    MARKS[outcome].padEnd(7),
    id.padEnd(5),
    level.padEnd(6),
    `${Math.round(ms)} ms`.padStart(8),
  ]
  const line = `${cells.join('  ')}  ${title}`
  if (message === undefined) return line
  return outcome === 'skipped' ? `${line} (${message})` : `${line}\n${' '.repeat(9)}${message}`
}
