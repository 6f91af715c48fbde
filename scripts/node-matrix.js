import { readdirSync } from 'node:fs'
import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { mustRun, root, run, runScript, say } from './tools.js'
import { runVitest } from './vitest.js'

/** The oldest Node that is supported, and the newest of every later line. */
const VERSIONS = ['20.19', '20', '22', '24', '26']

/** Loads every subpath of the built package by import and by require. */
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
  return results.every(([, { loads, failed }]) => loads && failed === 0) ? 0 : 1
})

/** @param {string} version */
async function tryOn(version) {
  // npx puts the wanted node first on PATH; no other program of npm is involved.
  const node = ['npx', '-y', '-p', `node@${version}`, 'node']
  const [npx = '', ...rest] = node
  const found = (await mustRun(npx, [...rest, '--print', 'process.version'])).trim()
  say(`Node ${found}`)
  const tests = await runVitest(coreTests(), { node, quiet: true })
  const loading = await run(npx, [...rest, '--eval', SMOKE], { quiet: true })
  if (tests.failed > 0) say(tests.output)
  if (loading.code !== 0) say(loading.output)
  const { passed, failed, skipped } = tests
  const result = { loads: loading.code === 0, passed, failed, skipped }
  return /** @type {const} */ ([found, result])
}

/** The tests of the files directly in src, of the stores without a server, and of what is built. */
function coreTests() {
  const core = readdirSync(`${root}test`).filter((name) => name.endsWith('.test.ts'))
  return [...core.map((name) => `test/${name}`), 'test/stores/memory', 'test/stores/embedded']
}
