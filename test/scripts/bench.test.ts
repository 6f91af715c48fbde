import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from '../support/source.ts'

interface Ended {
  readonly code?: number
  readonly stdout: string
  readonly stderr: string
}

function bench(...args: readonly string[]): Promise<Ended> {
  const command = [`${root}scripts/bench.js`, ...args]
  return promisify(execFile)(process.execPath, command).catch((error: Ended) => error)
}

test('the benchmarks refuse a question that there is not, before anything is installed', async () => {
  const { code, stdout, stderr } = await bench('--only', 'overheads')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    "There is no question 'overheads'. There are: overhead, engines, growth, parts, scale-out, near-cache.\n",
  )
})

test('the benchmarks answer an option that there is not with those that there are', async () => {
  const { code, stdout, stderr } = await bench('--fast')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^Unknown option '--fast'[^]*Usage: npm run bench/)
})

test('the benchmarks say what they can be asked for', async () => {
  const { code, stdout } = await bench('--help')
  expect(code).toBeUndefined()
  expect(stdout).toContain('--only <question>')
})
