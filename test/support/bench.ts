import { run } from '../../scripts/tools.js'

/**
 * Runs the benchmarks, so briefly that the figures mean nothing.
 *
 * @param folder - where results and documents are written
 * @returns what was printed
 * @throws Error with what was printed, if a question failed
 */
export async function runBench(folder: string, args: readonly string[]): Promise<string> {
  const command = ['scripts/bench.js', '--smoke', '--to', folder, ...args]
  const { code, output } = await run(process.execPath, command, { quiet: true })
  if (code === 0) return output
  throw new Error(`The benchmarks ended with ${code}:\n${output}`)
}
