import { readFileSync } from 'node:fs'
import { npm, Problem, root, say } from './tools.js'

const OLDEST_NODE = [20, 19]

/**
 * Installs what package-lock.json names, unless exactly that is installed already.
 * @param {string} [folder] where it is, relative to the root: `bench/`
 */
export async function ensureInstalled(folder = '') {
  checkNode(process.versions.node)
  const reason = whyInstall(folder)
  if (reason === undefined) return
  say(`Installing dependencies${folder && ` of ${folder}`} with npm ci: ${reason}.`)
  await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root + folder })
}

/** @param {string} version */
function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldest = 0, oldestMinor = 0] = OLDEST_NODE
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return
  throw new Problem(`Node ${version} is too old: Node ${OLDEST_NODE.join('.')} or later is needed.`)
}

/**
 * What is missing, in words; undefined when node_modules is what the lockfile says.
 * @param {string} folder
 */
function whyInstall(folder) {
  const wanted = packagesOf(`${folder}package-lock.json`)
  if (wanted === undefined) throw new Problem(`${folder}package-lock.json is missing: restore it.`)
  const installed = packagesOf(`${folder}node_modules/.package-lock.json`)
  if (installed === undefined) return 'nothing is installed yet'
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === '') continue
    const found = installed[path]
    // An optional package is absent where its platform is another one.
    if (found === undefined ? !optional : found.version !== version) return 'the lockfile is newer'
  }
  return undefined
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(root + path, 'utf8')).packages
  } catch {
    return undefined
  }
}
