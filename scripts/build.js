import { cpSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { ensureInstalled } from './install.js'
import { mustRun, root, runScript, say, tool } from './tools.js'

const EXAMPLES = '.build/examples'
const SETTINGS = ['package.json', 'tsconfig.json', 'examples/tsconfig.json']

/** Compiles src into dist. The old dist stays until the new one is complete. */
export async function build() {
  const fresh = '.build/dist'
  await compile('src', 'tsconfig.json', fresh)
  remove('dist')
  renameSync(root + fresh, `${root}dist`)
}

/** Compiles the examples. They import the package by its name, as users do, so dist must exist. */
export async function buildExamples() {
  await compile('examples', 'examples/tsconfig.json', EXAMPLES)
}

/** Builds what is missing or older than its sources. */
export async function ensureBuilt() {
  const outdated = isOutdated('src', 'dist')
  if (!outdated && !isOutdated('examples', EXAMPLES)) return
  say('Building with tsc.')
  if (outdated) await build()
  await buildExamples()
}

/**
 * @param {string} sources
 * @param {string} project
 * @param {string} output
 */
async function compile(sources, project, output) {
  remove(output)
  if (filesIn(sources, '.ts').length === 0) return
  const args = ['-p', project, '--outDir', output, '--noEmitOnError']
  await mustRun(...tool('typescript/bin/tsc', args))
  copyAssets(sources, output)
}

/**
 * What is not compiled (pages, SQL) stands beside the code as it does in the sources.
 * @param {string} sources
 * @param {string} output
 */
function copyAssets(sources, output) {
  const assets = filesIn(sources, '').filter((path) => !/\.ts$|tsconfig\.json$|\.md$/.test(path))
  for (const path of assets) cpSync(root + path, `${root}${output}/${relative(sources, path)}`)
}

/**
 * True unless `output` holds one file for each of `sources`, and no other, all of them newer.
 * @param {string} sources
 * @param {string} output
 */
function isOutdated(sources, output) {
  const inputs = filesIn(sources, '.ts')
  if (inputs.length !== filesIn(output, '.js').length) return true
  const written = inputs.map((path) => {
    return modifiedAt(`${output}/${relative(sources, path).replace(/\.ts$/, '.js')}`)
  })
  const changed = [...SETTINGS, ...inputs].map(modifiedAt)
  return Math.max(...changed) > Math.min(...written)
}

/**
 * The files of a folder and its subfolders, relative to the root.
 * @param {string} folder
 * @param {string} ending
 */
function filesIn(folder, ending) {
  if (!existsSync(root + folder)) return []
  return readdirSync(root + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, `${entry.parentPath}/${entry.name}`))
    .filter((path) => !path.includes('node_modules') && !isOfProject(path))
}

/**
 * True for the examples that have packages, and a build, of their own.
 * @param {string} path
 */
function isOfProject(path) {
  const [folder, name] = path.split('/')
  return folder === 'examples' && existsSync(`${root}examples/${name}/package.json`)
}

/** @param {string} path */
function modifiedAt(path) {
  return statSync(root + path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** @param {string} folder */
function remove(folder) {
  rmSync(root + folder, { recursive: true, force: true })
}

if (process.argv[1] === import.meta.filename) {
  await runScript(async () => {
    await ensureInstalled()
    await build()
    await buildExamples()
  })
}
