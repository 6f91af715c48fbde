import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { root, say } from './tools.js'

/**
 * @typedef {import('vitest/node').TestModule} TestModule
 * @typedef {import('vitest').SerializedError} SerializedError
 */

// Enough for the message, what was expected and received, and where in the test that was.
const LINES = 25

/** Says at the very end what failed: above the coverage table nobody finds it. */
export default class FailuresLast {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly SerializedError[]} unhandled errors outside of any test
   */
  onTestRunEnd(modules, unhandled) {
    const failures = [
      ...modules.flatMap(failuresOf),
      ...unhandled.map((error) => failure('an error outside of the tests', [error])),
    ]
    process.once('exit', () => failures.forEach(say))
  }
}

/** @param {TestModule} module */
function failuresOf(module) {
  const path = relative(root, module.moduleId)
  const parts = [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0)
  const tests = [...module.children.allTests('failed')]
  return [
    ...parts.map((part) =>
      failure('fullName' in part ? `${path} > ${part.fullName}` : path, part.errors()),
    ),
    ...tests.map((test) => failure(`${path} > ${test.fullName}`, test.result().errors ?? [])),
  ]
}

/**
 * @param {string} title
 * @param {readonly SerializedError[]} errors
 */
function failure(title, errors) {
  const lines = errors.flatMap(linesOf).slice(0, LINES)
  return [`FAILED ${title}`, ...lines.map((line) => `  ${line}`)].join('\n')
}

/** @param {SerializedError} error */
function linesOf({ message, diff, stacks = [] }) {
  const text = typeof diff === 'string' ? `${message}\n${diff}` : message
  const places = stacks.map(({ file, line }) => `at ${relative(root, file)}:${line}`)
  return [...stripVTControlCharacters(text).trimEnd().split('\n'), ...places]
}
