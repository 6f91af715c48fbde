import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { root, runScript, say } from './tools.js'

/** The folders of which every public file has a subpath of its own: src/stores/redis.ts, ./redis. */
const RACKS = ['stores', 'adapters', 'security']
/** The folders with one public file, their entry: src/tornado/index.ts, ./tornado. */
const ROOMS = ['tornado', 'decorators', 'conformance', 'migrate', 'admin']

/**
 * What `exports` of package.json has to be for the sources that there are.
 * @returns {Record<string, string | { types: string, default: string }>}
 */
export function exportsOfSources() {
  const racks = RACKS.flatMap((folder) => {
    return publicFiles(folder).map((name) => entry(name, `${folder}/${name}`))
  })
  const rooms = ROOMS.filter((name) => existsSync(`${root}src/${name}/index.ts`))
  return {
    '.': target('index'),
    ...Object.fromEntries([...racks, ...rooms.map((name) => entry(name, `${name}/index`))]),
    './package.json': './package.json',
  }
}

/**
 * @param {string} name
 * @param {string} path
 */
function entry(name, path) {
  return /** @type {const} */ ([`./${name}`, target(path)])
}

/**
 * A file of a rack is public, unless it is a part of another (redis-scripts.ts beside redis.ts) or
 * the gate that the adapters share.
 * @param {string} folder
 */
function publicFiles(folder) {
  if (!existsSync(`${root}src/${folder}`)) return []
  const files = readdirSync(`${root}src/${folder}`).filter((name) => name.endsWith('.ts'))
  const names = files.map((name) => name.slice(0, -'.ts'.length)).filter((name) => name !== 'hold')
  return names.filter((name) => !names.some((other) => name.startsWith(`${other}-`)))
}

/** @param {string} path */
function target(path) {
  return { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` }
}

if (process.argv[1] === import.meta.filename) {
  await runScript(async () => {
    const file = `${root}package.json`
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    manifest.exports = exportsOfSources()
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
    say(`package.json exports ${Object.keys(manifest.exports).join(', ')}`)
  })
}
