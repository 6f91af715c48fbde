import { readdirSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { mustRun, root, run, runScript, say } from './tools.js'

/** The oldest Node that is supported, and the newest of every later line. */
const VERSIONS = ['20.19', '20', '22', '24', '26']

/** Loads every subpath of the built package by import and by require, and uses a session. */
const SMOKE = `
const { exports } = require('./package.json')
const names = Object.keys(exports).filter((name) => name !== './package.json')
const load = async (name) => {
  const specifier = 'sojourn' + name.slice(1)
  if (Object.keys(await import(specifier)).join() !== Object.keys(require(specifier)).sort().join()) {
    throw new Error(specifier + ' differs by import and by require')
  }
}
Promise.all(names.map(load)).then(() => process.exit(), (error) => {
  console.error(error)
  process.exit(1)
})`

await runScript(async () => {
  await ensureInstalled()
  await ensureBuilt()
  const results = []
  for (const version of VERSIONS) results.push(await tryOn(version))
  console.table(Object.fromEntries(results))
  return results.some(([, { package: loads, tests }]) => loads !== 'ok' || tests !== 'ok') ? 1 : 0
})

/** @param {string} version */
async function tryOn(version) {
  // npx puts the wanted node first on PATH; no other program of npm is involved.
  const npx = ['-y', '-p', `node@${version}`, 'node']
  const found = (await mustRun('npx', [...npx, '--print', 'process.version']))
    .trim()
    .split('\n')
    .at(-1)
  say(`Node ${found}`)
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', ...coreTests()]
  const tests = await run('npx', [...npx, ...vitest], { quiet: true })
  const smoke = await run('npx', [...npx, '--eval', SMOKE], { quiet: true })
  const result = { package: outcome(smoke), tests: outcome(tests), count: countOf(tests.output) }
  return /** @type {const} */ ([found, result])
}

/** The tests of the files directly in src, of the stores without a server, and of what is built. */
function coreTests() {
  const core = readdirSync(`${root}test`).filter((name) => name.endsWith('.test.ts'))
  return [...core.map((name) => `test/${name}`), 'test/stores/memory', 'test/stores/embedded']
}

/** @param {{ code: number, output: string }} result */
function outcome({ code, output }) {
  if (code !== 0) process.stderr.write(output)
  return code === 0 ? 'ok' : 'failed'
}

/** @param {string} output */
function countOf(output) {
  return /Tests\s+(.*)/.exec(stripVTControlCharacters(output))?.[1] ?? ''
}
