import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const [SERVER, OTHERS] = [0, 1]

// On a machine that does other work the measured processes may go first; only root may ask for that.
const PRIORITY = process.env['BENCH_NICE']

/** Whether what is measured has a processor core of its own. */
export const pinned: boolean =
  process.env['BENCH_PIN'] !== 'no' && availableParallelism() > 1 && hasTaskset()

/** The command line that runs a program on the core of what is measured. */
export function onServerCore(command: readonly string[]): string[] {
  return onCore(SERVER, command)
}

/** The command line that runs a program (the load, an engine) on the other core. */
export function onOtherCore(command: readonly string[]): string[] {
  return onCore(OTHERS, command)
}

/** Moves a process that runs to the other core. */
export function moveToOtherCore(pid: number | undefined): void {
  if (pinned) execFileSync('taskset', ['-acp', `${OTHERS}`, `${pid}`], { stdio: 'ignore' })
  if (PRIORITY !== undefined) execFileSync('renice', ['-n', PRIORITY, '-p', `${pid}`])
}

function onCore(core: number, command: readonly string[]): string[] {
  const first = PRIORITY === undefined ? [] : ['nice', '-n', PRIORITY]
  return pinned ? [...first, 'taskset', '-c', `${core}`, ...command] : [...first, ...command]
}

/** Seconds that the core of what is measured has worked since the machine started, for whomever. */
export function busySeconds(): number {
  if (!pinned || !existsSync('/proc/stat')) return Number.NaN
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[SERVER + 1] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) / 100
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['-p', `${process.pid}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
