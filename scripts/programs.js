import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { mustRun, Problem, root, say } from './tools.js'

/**
 * The programs that tests start: under which names, in which folders beside those of PATH, in which
 * packages of Debian, and the file of test/support that starts it. Without that file it is not needed.
 */
const PROGRAMS = [
  { names: ['redis-server'], debian: 'redis-server', support: 'redis.ts' },
  { names: ['openssl'], debian: 'openssl', support: 'redis.ts' },
  { names: ['memcached'], debian: 'memcached', support: 'memcached.ts' },
  { names: ['postgres'], debian: 'postgresql', support: 'postgres.ts', folders: postgresFolders },
  {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium',
    support: 'chromium.ts',
  },
  { names: ['spin'], debian: 'spin', support: 'spin.ts' },
  { names: ['gcc'], debian: 'gcc libc6-dev', support: 'spin.ts' },
  { names: ['nginx'], debian: 'nginx-light', support: 'nginx.ts', folders: () => ['/usr/sbin'] },
]

/**
 * Installs the programs that tests start and that are not here, where that is possible.
 * @param {readonly string[]} [only] packages of Debian: no other program is looked for
 */
export async function ensurePrograms(only) {
  const wanted = PROGRAMS.filter(({ debian }) => only === undefined || only.includes(debian))
  const missing = wanted.filter((program) => isNeeded(program) && !isHere(program))
  if (missing.length === 0) return
  const packages = missing.flatMap(({ debian }) => debian.split(' '))
  if (process.getuid?.() === 0 && findProgram(['apt-get']) !== undefined) return install(packages)
  throw new Problem(
    `Not installed: ${missing.map(({ names }) => names[0]).join(', ')}; tests and benchmarks start servers ` +
      `of their own. Install what is missing (on Debian: sudo apt-get install ${packages.join(' ')}), ` +
      'or leave the tests out with: npm test -- --skip tests',
  )
}

/**
 * The path of the first of these programs that is on PATH, or in one of the folders.
 * @param {readonly string[]} names
 * @param {readonly string[]} [folders]
 * @returns {string | undefined}
 */
export function findProgram(names, folders = []) {
  const searched = [...(process.env['PATH'] ?? '').split(delimiter), ...folders]
  return names.flatMap((name) => searched.map((folder) => `${folder}/${name}`)).find(isExecutable)
}

/** The browser of the tests. */
export function findChromium() {
  return findProgram(['chromium', 'chromium-browser', 'google-chrome'])
}

/** @param {{ support: string }} program */
function isNeeded({ support }) {
  return existsSync(`${root}test/support/${support}`)
}

/** @param {{ names: readonly string[], folders?: () => string[] }} program */
function isHere({ names, folders }) {
  return findProgram(names, folders?.()) !== undefined
}

/** @param {string[]} packages */
async function install(packages) {
  say(`Installing ${packages.join(', ')} with apt-get.`)
  await withoutServices(async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const patient = ['-qq', '-o', 'DPkg::Lock::Timeout=300']
    const all = ['-y', '--no-install-recommends', 'install', ...packages]
    await mustRun('apt-get', [...patient, 'update'], { env })
    await mustRun('apt-get', [...patient, ...all], { env })
  })
}

// What Debian asks before it starts a service that was installed.
const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Packages that are installed meanwhile start no service: tests start their own servers, on free ports
 * of 127.0.0.1.
 * @param {() => Promise<void>} work
 */
async function withoutServices(work) {
  if (existsSync(POLICY)) return work()
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await work()
  } finally {
    rmSync(POLICY)
  }
}

// Debian keeps the server apart from PATH, one folder for each version.
function postgresFolders() {
  const base = '/usr/lib/postgresql'
  return existsSync(base) ? readdirSync(base).map((version) => `${base}/${version}/bin`) : []
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
