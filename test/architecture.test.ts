import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root, sourcesIn, type Source, type SourceImport } from './support/source.ts'

const sources = sourcesIn('src')
const byPath = new Map(sources.map((source) => [source.path, source]))
const everything = [...sources, ...sourcesIn('test', 'examples', 'scripts', 'bench')]

const PUBLIC_CORE = ['manager', 'session', 'session-data', 'errors', 'names', 'duration']

/** What each folder of src may import from src, beside its own files. Core files are `src/*.ts`. */
const MAY_IMPORT: Readonly<Record<string, (path: string) => boolean>> = {
  stores: oneOf(
    ...['store', 'errors', 'deadline', 'duration', 'names', 'change', 'record', 'keyring'],
    ...['event-log', 'listening', 'sweeping', 'tracking', 'unalterable'],
  ),
  adapters: oneOf(...PUBLIC_CORE),
  security: oneOf(...PUBLIC_CORE),
  migrate: oneOf(...PUBLIC_CORE),
  tornado: (path) => oneOf(...PUBLIC_CORE)(path) || isStore(path) || path === HOLD,
  decorators: oneOf(...PUBLIC_CORE),
  conformance: isPublic,
  admin: isPublic,
  cli: isPublic,
}

/** The gate before the headers, which everything shares that answers on a response of Node. */
const HOLD = 'src/adapters/hold.ts'

/** The types in these files are part of the public face: whoever may import anything may name them. */
const PUBLIC_TYPES = oneOf('store', 'options', 'session-data', 'errors', 'administration')

/** From the top of the core to its bottom: a file reaches only what stands on its line or below. */
const LAYERS = [
  ['index'],
  ['manager'],
  ['session', 'decide', 'options'],
  ['token', 'keyring', 'cookie', 'codec', 'duration', 'errors'],
  ['store'],
]

/** The one core file that loads a store, and only when it is needed: no store was given. */
const LOADS_A_STORE = { path: 'src/default-store.ts', store: 'src/stores/embedded.ts' }

/** The files that may hand on what other files export. */
const ENTRIES = /^src\/((tornado|decorators|conformance|migrate|admin|cli)\/)?index\.ts$/

describe('who may import whom', () => {
  test.each(Object.keys(MAY_IMPORT))('src/%s imports only what it may', (folder) => {
    const files = sources.filter(({ path }) => path.startsWith(`src/${folder}/`))
    const wrong = files.flatMap((source) => {
      return internal(source).filter(({ path, typeOnly }) => {
        const named = typeOnly && PUBLIC_TYPES(path)
        return !named && !isOwn(folder, source.path, path) && !MAY_IMPORT[folder]?.(path)
      })
    })
    expect(wrong).toEqual([])
  })

  test('every file of the core is in the table of ARCHITECTURE.md', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
    const named = [...text.matchAll(/`([a-z-]+)(?:\.ts)?`/g)].map(([, name]) => name)
    const files = core().map(({ path }) => basename(path, '.ts'))
    expect(files.filter((name) => !named.includes(name))).toEqual([])
  })

  test('every folder of src has such a rule', () => {
    const folders = sources.map(({ path }) => path.split('/').slice(1, -1)[0])
    expect(folders.filter((name) => name !== undefined && !(name in MAY_IMPORT))).toEqual([])
  })

  test('the core imports no folder: every store and adapter could be deleted', () => {
    const outside = core().flatMap((source) => {
      return internal(source).filter(({ path }) => !isCore(path))
    })
    const allowed = ({ from, path, kind }: Internal): boolean => {
      return from === LOADS_A_STORE.path && path === LOADS_A_STORE.store && kind === 'dynamic'
    }
    expect(outside.filter((found) => !allowed(found))).toEqual([])
  })

  test('core files reach only what stands below them', () => {
    const upward = LAYERS.flatMap((layer, index) => {
      const above = new Set(LAYERS.slice(0, index).flat().map(corePath))
      return layer.map(corePath).flatMap((path) => {
        return [...reachable(path)]
          .filter((found) => above.has(found))
          .map((found) => [path, found])
      })
    })
    expect(upward).toEqual([])
  })

  test('there is no cycle of imports', () => {
    expect(
      sources.map(({ path }) => cycleThrough(path)).filter((cycle) => cycle !== undefined),
    ).toEqual([])
  })

  test('the core loads nothing late but the default store', () => {
    const late = core().filter(({ path }) => path !== LOADS_A_STORE.path)
    expect(
      late.flatMap((source) => internal(source).filter(({ kind }) => kind === 'dynamic')),
    ).toEqual([])
  })

  test('an import of our own names an existing file with its extension', () => {
    const lost = sources.flatMap((source) =>
      internal(source).filter(({ path }) => !byPath.has(path)),
    )
    expect(lost).toEqual([])
  })
})

describe('the shape of a file', () => {
  test('no file has more than 300 lines', () => {
    const long = everything.map(({ path, text }) => ({
      path,
      lines: text.trimEnd().split('\n').length,
    }))
    expect(long.filter(({ lines }) => lines > 300)).toEqual([])
  })

  test('exports have names: nothing is exported as default or with a star', () => {
    const pattern = /\bexport\s+default\b|\bas\s+default\b|\bexport\s*(type\s*)?\*/
    expect(pathsMatching(sources, pattern)).toEqual([])
  })

  test('only the entries hand on what other files export, beside the types of their own parts', () => {
    const handing = sources.flatMap((source) => {
      const found = source.imports.filter(({ path, kind, typeOnly }) => {
        return kind === 're-export' && !(typeOnly && attachment(source.path) === attachment(path))
      })
      return found.map(() => source.path)
    })
    const indexes = sources.map(({ path }) => path).filter((path) => basename(path) === 'index.ts')
    expect([...handing, ...indexes].filter((path) => !ENTRIES.test(path))).toEqual([])
  })

  test('no module keeps state: what stands beside the functions is constant', () => {
    // A class may open a private field to its own file through a function declared beside it.
    expect(pathsMatching(sources, /^(export\s+)?(let|var)\s+(?!\w+: .*=>)/m)).toEqual([])
  })

  test('no file uses decorators: Node cannot strip them', () => {
    expect(pathsMatching(sources, /^\s*@\w/m)).toEqual([])
  })
})

describe('tests and programs', () => {
  test('no test is left out or runs alone', () => {
    const tests = everything.filter(({ path }) => path.endsWith('.test.ts'))
    expect(
      pathsMatching(tests, /\b(it|test|describe|suite)\s*\.\s*(skip|only|todo|fails)\b/),
    ).toEqual([])
  })

  test('whatever listens names a loopback address', () => {
    const programs = everything.filter(({ path }) => !path.startsWith('src/'))
    const open = programs.flatMap((source) => {
      return listens(source).filter(
        (args) => !/127\.0\.0\.1|localhost|\bhost\b|loopback/i.test(args),
      )
    })
    expect(open).toEqual([])
  })
})

interface Internal {
  readonly from: string
  readonly path: string
  readonly kind: SourceImport['kind']
  readonly typeOnly: boolean
}

function internal(source: Source): Internal[] {
  return source.imports.flatMap(({ path, kind, typeOnly }) => {
    return path === undefined ? [] : [{ from: source.path, path, kind, typeOnly }]
  })
}

function core(): Source[] {
  return sources.filter(({ path }) => isCore(path))
}

function corePath(name: string): string {
  return `src/${name}.ts`
}

function isCore(path: string): boolean {
  return dirname(path) === 'src'
}

function isStore(path: string): boolean {
  return /^src\/stores\/[a-z0-9]+\.ts$/.test(path)
}

function isPublic(path: string): boolean {
  return (
    isCore(path) ||
    /^src\/(stores|adapters|tornado|conformance|migrate|security)\/[a-z]+\.ts$/.test(path)
  )
}

function oneOf(...names: string[]): (path: string) => boolean {
  const paths = new Set(names.map(corePath))
  return (path) => paths.has(path)
}

/**
 * Files of one attachment. In stores and adapters each file with its parts (redis.ts,
 * redis-scripts.ts, redis/…) is an attachment of its own; the adapters share hold and support.
 */
function isOwn(folder: string, from: string, path: string): boolean {
  if (!path.startsWith(`src/${folder}/`)) return false
  if (folder !== 'stores' && folder !== 'adapters') return true
  return (
    attachment(from) === attachment(path) ||
    /^src\/adapters\/(hold\.ts$|hold\/|support\/)/.test(path)
  )
}

function attachment(path: string | undefined): string | undefined {
  const name = /^src\/\w+\/([a-z0-9]+)/.exec(path ?? '')?.[1]
  return name === 'support' ? 'hold' : name
}

function reachable(path: string, found = new Set<string>()): Set<string> {
  for (const next of byPath.get(path)?.imports ?? []) {
    if (next.path === undefined || found.has(next.path)) continue
    found.add(next.path)
    reachable(next.path, found)
  }
  return found
}

/** The way from a file back to itself. Types are gone at run time: only values make a cycle. */
function cycleThrough(start: string, path = start, seen = new Set<string>()): string | undefined {
  for (const next of byPath.get(path)?.imports ?? []) {
    if (next.path === undefined || next.typeOnly) continue
    if (next.path === start) return `${path} -> ${start}`
    if (seen.has(next.path)) continue
    seen.add(next.path)
    const cycle = cycleThrough(start, next.path, seen)
    if (cycle !== undefined) return `${path} -> ${cycle}`
  }
  return undefined
}

function pathsMatching(files: readonly Source[], pattern: RegExp): string[] {
  return files.filter(({ code }) => pattern.test(code)).map(({ path }) => path)
}

/** The arguments of every call of a method `listen`, with the path of the file before them. */
function listens({ path, text, code }: Source): string[] {
  const calls = [...code.matchAll(/\.listen\s*\(/g)].map((match) => {
    const start = match.index + match[0].length
    return `${path}: ${text.slice(start, closing(code, start))}`
  })
  // A class of the file may have a method of this name, which takes no address.
  return /^ +(async )?listen\(\)/m.test(code) ? calls.filter((call) => call !== `${path}: `) : calls
}

function closing(code: string, start: number): number {
  let depth = 1
  let position = start
  while (depth > 0 && position < code.length) {
    const character = code.charAt(position++)
    if (character === '(') depth++
    if (character === ')') depth--
  }
  return position - 1
}
