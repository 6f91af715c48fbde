#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { UsageError } from './command.ts'
import type { ExitCode, Output } from './command.ts'
import { runProgram } from './program.ts'

const CLEAR = '\r\u{1b}[K'

/** Progress is one line that is written over, and only where a person looks on. */
class Terminal implements Output {
  readonly #isWatched = process.stderr.isTTY
  #isShowing = false

  write(text: string): void {
    this.#clear()
    process.stdout.write(text)
  }

  complain(text: string): void {
    this.#clear()
    process.stderr.write(text)
  }

  progress(line: string): void {
    if (!this.#isWatched) return
    process.stderr.write(CLEAR + line.slice(0, (process.stderr.columns || 80) - 1))
    this.#isShowing = true
  }

  #clear(): void {
    if (this.#isShowing) process.stderr.write(CLEAR)
    this.#isShowing = false
  }
}

async function codeOf(terminal: Terminal): Promise<ExitCode> {
  try {
    return await runProgram(process.argv.slice(2), terminal, versionOf())
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.complain(`sojourn: ${error.message}\n`)
    return 2
  }
}

function versionOf(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(manifest) as { readonly version: unknown }).version)
}

async function main(): Promise<void> {
  const code = await codeOf(new Terminal())
  // What a module of the user keeps open, such as a client, would keep this process alive.
  process.stdout.write('', () => process.exit(code))
}

void main()
