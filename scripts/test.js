import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { inspect, parseArgs } from 'node:util'
import { build, buildExamples, ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { ensurePrograms } from './programs.js'
import { npm, Problem, run, runScript, say, tool } from './tools.js'
import { runVitest } from './vitest.js'

const HELP = `Usage: npm test -- [options]

  --only <filter>  run only the test files whose path contains this (may be repeated)
  --checks         run everything but the tests
  --skip <step>    leave a step out and count it as skipped (may be repeated)

Steps: `

/** @typedef {import('./vitest.js').Counts} Counts */

const PASSED = { passed: 1, failed: 0, skipped: 0 }
const FAILED = { passed: 0, failed: 1, skipped: 0 }
const SKIPPED = { passed: 0, failed: 0, skipped: 1 }

/** @type {Record<string, () => Promise<Counts>>} */
const STEPS = {
  build: () => attempt(build),
  examples: () => attempt(buildExamples),
  format: () => check('oxfmt/bin/oxfmt', ['--check']),
  lint: () => check('oxlint/bin/oxlint', []),
  types: () => check('typescript/bin/tsc', ['-p', 'tsconfig.test.json']),
  unused: () => check('knip/bin/knip.js', ['--no-progress', '--no-config-hints']),
  package: () => attempt(checkPackage),
  tests: () => runVitest(['--coverage']),
}

await runScript(async () => {
  const { only, checks, skip, help } = readArguments()
  if (help) return say(HELP + Object.keys(STEPS).join(', '))
  await ensureInstalled()
  if (!checks && !skip.includes('tests')) await ensurePrograms()
  const counts = only.length > 0 ? [await runSome(only)] : await runSteps(checks, skip)
  return report(counts)
})

/**
 * @param {boolean} checks
 * @param {readonly string[]} skip
 */
async function runSteps(checks, skip) {
  const counts = []
  for (const [name, step] of Object.entries(STEPS)) {
    if (checks && name === 'tests') continue
    counts.push(skip.includes(name) ? skipped(name) : await timed(name, step))
  }
  return counts
}

/** @param {string} name */
function skipped(name) {
  say(`- ${name}: skipped, as --skip says`)
  return SKIPPED
}

/**
 * @param {string} name
 * @param {() => Promise<Counts>} step
 */
async function timed(name, step) {
  const start = performance.now()
  const counts = await step()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  say(`${counts.failed === 0 ? '✓' : '✗'} ${name} (${seconds} s)`)
  return counts
}

/** @param {readonly string[]} filters */
async function runSome(filters) {
  // A test that needs the build says so itself; the others run although something does not compile.
  await attempt(ensureBuilt)
  return runVitest(filters)
}

/** The tarball is what users get: exports and types are checked in it, not in the folder. */
async function checkPackage() {
  const folder = mkdtempSync(`${tmpdir()}/sojourn-pack-`)
  try {
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const tarball = `${folder}/${JSON.parse(await npm(args))[0].filename}`
    await mustPass('publint/src/cli.js', ['run', '--strict', tarball])
    await mustPass('@arethetypeswrong/cli/dist/index.js', ['--profile', 'esm-only', tarball])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * @param {string} path
 * @param {string[]} args
 */
async function mustPass(path, args) {
  const { code, output } = await run(...tool(path, args), { quiet: true })
  if (code === 0) return
  throw new Problem(`${output}\n${path} failed with exit code ${code}.`)
}

/**
 * @param {string} path
 * @param {string[]} args
 */
function check(path, args) {
  return attempt(() => mustPass(path, args))
}

/**
 * @param {() => Promise<void>} work
 * @returns {Promise<Counts>}
 */
async function attempt(work) {
  try {
    await work()
    return PASSED
  } catch (error) {
    say(error instanceof Problem ? error.message : inspect(error))
    return FAILED
  }
}

/** @param {readonly Counts[]} counts */
function report(counts) {
  /** @param {keyof Counts} name */
  const sum = (name) => counts.reduce((total, count) => total + count[name], 0)
  const tail = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''
  say(`${sum('passed')} passed, ${sum('failed')} failed${tail}`)
  return sum('failed') > 0 ? 1 : 0
}

function readArguments() {
  const text = { type: /** @type {const} */ ('string'), multiple: /** @type {const} */ (true) }
  const flag = { type: /** @type {const} */ ('boolean'), default: false }
  try {
    const options = { only: text, skip: text, checks: flag, help: flag }
    const { only = [], skip = [], ...flags } = parseArgs({ options }).values
    const unknown = skip.find((name) => !(name in STEPS))
    if (unknown === undefined) return { only, skip, ...flags }
    throw new Error(`There is no step "${unknown}".`)
  } catch (error) {
    throw new Problem(
      `${/** @type {Error} */ (error).message}\n${HELP}${Object.keys(STEPS).join(', ')}`,
    )
  }
}
