import type { ParseArgsConfig } from 'node:util'

/** How a command ended: as it should, with something found that is wrong, or not begun at all. */
export type ExitCode = 0 | 1 | 2

/** Where a command writes: results to the one, everything else to the other. */
export interface Output {
  write(text: string): void
  /** Something for the person who waits, in the place of what was said before; nothing if nobody looks. */
  progress(line: string): void
}

/** What was typed after the name of the command. */
export interface Typed {
  readonly values: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
}

/** A command of the program `sojourn`. */
export interface Command {
  /** What `--help` prints. */
  readonly help: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** @throws UsageError if what was typed cannot be done */
  run(typed: Typed, output: Output): Promise<ExitCode>
}

/** What was typed, or what it names, cannot be used. The message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
