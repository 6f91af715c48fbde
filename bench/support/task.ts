import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onServerCore } from './cpus.ts'

const TASK = fileURLToPath(new URL('../subjects/task.js', import.meta.url))
const LONGEST = 120_000

/** How a process that measures something by itself is started. */
export interface TaskSettings {
  readonly env?: Readonly<Record<string, string>>
  /** Of node. */
  readonly flags?: readonly string[]
}

/**
 * Runs `measure(options)` of `subjects/<task>.js` in a fresh process on the core of what is measured.
 *
 * @returns what it found
 */
export async function runTask<Found>(
  task: string,
  options: object,
  { env = {}, flags = [] }: TaskSettings = {},
): Promise<Found> {
  const node = [process.execPath, '--single-threaded-gc', ...flags, TASK, task]
  const [program = '', ...args] = onServerCore([...node, JSON.stringify(options)])
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production', ...env },
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST)
  const exited = once(child, 'exit')
  try {
    const found = await Promise.race([once(child, 'message'), exited.then(() => undefined)])
    if (found === undefined) throw new Error(`${task} failed: ${JSON.stringify(options)}`)
    child.disconnect()
    return found[0] as Found
  } finally {
    await exited
    clearTimeout(timer)
  }
}
