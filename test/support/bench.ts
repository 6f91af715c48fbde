import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from './source.ts'

/**
 * Runs the benchmarks, so briefly that the figures mean nothing.
 *
 * @param folder - where results and documents are written
 * @returns what was printed
 */
export async function runBench(folder: string, args: readonly string[]): Promise<string> {
  const command = ['scripts/bench.js', '--smoke', '--to', folder, ...args]
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    cwd: root,
    maxBuffer: 1e8,
  })
  return stdout
}
