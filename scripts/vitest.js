import { readFileSync, rmSync } from 'node:fs'
import { root, run, say } from './tools.js'

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const RESULTS = `.build/vitest-${process.pid}.json`

/**
 * Runs tests and counts them.
 * @param {readonly string[]} args
 * @param {{ node?: readonly string[], quiet?: boolean }} [options] node: the command that runs Node
 * @returns {Promise<Counts & { output: string }>}
 */
export async function runVitest(args, { node = [process.execPath], quiet = false } = {}) {
  const names = ['default', 'json', './scripts/failures-last.js']
  const reporters = [...names.map((name) => `--reporter=${name}`), `--outputFile.json=${RESULTS}`]
  const [program = '', ...before] = node
  const script = `${root}node_modules/vitest/vitest.mjs`
  const command = [...before, script, 'run', ...reporters, ...args]
  const { code, output } = await run(program, command, { quiet })
  const counts = readResults()
  // Whatever else made vitest fail (an error outside of a test, a threshold) is a failure too.
  const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed
  return { ...counts, failed, output }
}

/** @returns {Counts} */
function readResults() {
  try {
    const results = JSON.parse(readFileSync(root + RESULTS, 'utf8'))
    results.testResults.flatMap(notApplicable).forEach(say)
    return {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.testResults.filter(failedToLoad).length,
      skipped: results.numPendingTests + results.numTodoTests,
    }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(root + RESULTS, { force: true })
  }
}

/**
 * What was not looked at, because an engine does not claim it: test/conformance/conform.ts makes such
 * titles. It is no test, so it is not counted as skipped.
 * @param {{ assertionResults: { title: string, ancestorTitles: string[] }[] }} file
 */
function notApplicable({ assertionResults }) {
  return assertionResults.flatMap(({ title, ancestorTitles }) => {
    const [, text = 'none'] = title.split('; not applicable: ')
    return text === 'none' ? [] : [`${ancestorTitles.join(' ')}; not applicable: ${text}`]
  })
}

/** @param {{ status: string, assertionResults: unknown[] }} file */
function failedToLoad({ status, assertionResults }) {
  return status === 'failed' && assertionResults.length === 0
}
