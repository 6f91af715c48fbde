import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { enginesTable, withTable } from '../scripts/engines.js'
import { exportsOfSources } from '../scripts/exports.js'
import { root, sourcesIn } from './support/source.ts'

interface Manifest {
  readonly exports: Record<string, string | { types: string; default: string }>
  readonly dependencies: Record<string, string>
  readonly peerDependencies?: Record<string, string>
  readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>
  readonly devDependencies: Record<string, string>
}

const manifest = readJson('package.json') as Manifest
const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json')

/** The names that are public from the first version and stay. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '.': ['SessionManager', 'Session', 'SessionError', 'isSessionError'],
  './memory': ['MemoryStore'],
  './embedded': ['EmbeddedStore'],
  './redis': ['RedisStore'],
  './memcached': ['MemcachedStore'],
  './postgres': ['PostgresStore'],
  './sqlite': ['SqliteStore'],
  './encrypted': ['EncryptedStore'],
  './cached': ['CachedStore'],
  './node': ['session', 'getSession'],
  './express': ['session', 'getSession'],
  './fastify': ['session', 'getSession'],
  './koa': ['session', 'getSession'],
  './fetch': ['session', 'getSession'],
  './hono': ['session', 'getSession'],
  './h3': ['session', 'getSession'],
  './elysia': ['session', 'getSession'],
  './nest': ['session', 'getSession'],
  './websocket': ['session', 'getSession'],
  './tornado': [
    'Application',
    'RequestHandler',
    'SessionMixin',
    'NotificationMixin',
    'HttpError',
    'createSignedValue',
    'decodeSignedValue',
  ],
  './decorators': ['requireUser', 'requireSession', 'sessionValue'],
  './conformance': ['storeChecks', 'adapterChecks', 'run'],
}

describe('exports', () => {
  test('every store, adapter and entry has a subpath, and every subpath has its file (npm run exports)', () => {
    expect(manifest.exports).toEqual(exportsOfSources())
  })
})

test('the table of engines in the README is what the stores say of themselves (npm run engines)', async () => {
  const table = await enginesTable((name) => import(join(root, `src/stores/${name}.ts`)))
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  expect(readme).toBe(withTable(readme, table))
  expect(readme).toContain(table)
  const stores = subpaths.filter((subpath) =>
    existsSync(join(root, `src/stores${subpath.slice(1)}.ts`)),
  )
  expect(stores.filter((name) => !table.includes(`\`sojourn/${name.slice(2)}\``))).toEqual([])
})

describe('the built package', () => {
  let exported: Record<string, string[]>
  let required: Record<string, string[]>

  beforeAll(async () => {
    if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist is missing: npm run build')
    exported = await namesOf(`(subpath) => import(subpath)`)
    required = await namesOf(`async (subpath) => require(subpath)`)
  }, 120_000)

  test.each(subpaths)('%s exports the names that are promised', (subpath) => {
    expect(exported[subpath]).toEqual(expect.arrayContaining([...(NAMES[subpath] ?? [])]))
    expect(exported[subpath]).not.toContain('default')
  })

  test('require() answers with the same names as import', () => {
    expect(required).toEqual(exported)
  })
})

describe('dependencies', () => {
  test('whatever the sources import is installed with the package or named as a peer', () => {
    const known = { ...manifest.dependencies, ...manifest.peerDependencies }
    const packages = sourcesIn('src').flatMap(({ imports }) =>
      imports.filter(({ path }) => path === undefined),
    )
    const names = new Set(packages.map(({ specifier }) => packageOf(specifier)))
    expect([...names].filter((name) => !isBuiltin(name) && !(name in known))).toEqual([])
  })

  test('a peer is optional, and there to be tested', () => {
    const peers = Object.keys(manifest.peerDependencies ?? {})
    expect(
      peers.filter((name) => manifest.peerDependenciesMeta?.[name]?.optional !== true),
    ).toEqual([])
    expect(peers.filter((name) => !(name in manifest.devDependencies))).toEqual([])
  })

  test('the lockfile names versions, and no registry', () => {
    const lock = readJson('package-lock.json') as {
      packages: Record<string, { resolved?: string }>
    }
    const resolved = Object.values(lock.packages).map(({ resolved }) => resolved)
    expect(resolved.filter((place) => place?.includes('://'))).toEqual([])
  })
})

/** The exported names of every subpath, as a program finds them that is not of this test. */
async function namesOf(load: string): Promise<Record<string, string[]>> {
  const specifiers = subpaths.map((subpath) => [subpath, `sojourn${subpath.slice(1)}`])
  const program = `
    const load = ${load}
    const names = async ([subpath, specifier]) => [subpath, Object.keys(await load(specifier)).sort()]
    Promise.all(${JSON.stringify(specifiers)}.map(names)).then((found) => {
      console.log(JSON.stringify(Object.fromEntries(found)))
      process.exit()
    })`
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', program], { cwd: root })
  return JSON.parse(stdout) as Record<string, string[]>
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
