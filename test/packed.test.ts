import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { CookieJar } from 'tough-cookie'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from './support/redis.ts'
import { root } from './support/source.ts'

const execute = promisify(execFile)
const START_LIMIT = 15_000
const INSTALL_LIMIT = 120_000

const readme = readFileSync(join(root, 'README.md'), 'utf8')
/** What a new user copies, the program of the dialogue first. */
const programs = [...readme.matchAll(/```(?:ts|js)\n([^]*?)```/g)].map((match) => match[1] ?? '')
/** The names of the headers in the dialogue. */
const headerNames = [...readme.matchAll(/^([A-Z][A-Za-z-]+): /gm)].map(([, name = '']) =>
  name.toLowerCase(),
)
/** The attributes of the cookie in the dialogue, without the day on which it was recorded. */
const attributes = /^Set-Cookie: [^;]+(.*)$/m
  .exec(readme)?.[1]
  ?.replace(/Expires=[^;]+/, 'Expires=')

let project: string

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'sojourn-packed-'))
  await npm(root, ['pack', '--ignore-scripts', '--pack-destination', project])
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }')
  // Nothing may depend on an install script: npm 12 does not run them.
  const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save']
  await npm(project, [
    'install',
    ...quiet,
    `./sojourn-${manifest().version}.tgz`,
    ...otherPackages(),
  ])
}, INSTALL_LIMIT)

afterAll(async () => {
  await rm(project, { recursive: true, force: true })
})

test('every program of the README compiles against it', async () => {
  const files = programs.map((_, index) => `program${index}.ts`)
  await Promise.all(
    files.map((file, index) => writeFile(join(project, file), local(programs[index]))),
  )
  expect(await compile(files)).toBe('')
})

test('whoever imports a store needs the types of no client', async () => {
  const imports = Object.entries(manifest().exports)
    .filter(([, target]) => typeof target === 'object' && !target.types.includes('/adapters/'))
    .map(([subpath]) => `import 'sojourn${subpath.slice(1)}'\n`)
  await writeFile(join(project, 'subpaths.ts'), imports.join(''))
  expect(await compile(['subpaths.ts'])).toBe('')
})

test('the first program of the README remembers a visitor, as its dialogue says', async () => {
  const port = await freePort()
  const { NODE_ENV: _, ...env } = process.env
  const server = spawn(process.execPath, ['program0.js'], {
    cwd: project,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    await answering(server, port)
    const visit = visitor(`http://localhost:${port}`)
    const first = await visit('/?name=alice')
    const [cookie = ''] = first.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-Http-sid=v1\./)
    expect(cookie.replace(/^[^;]+/, '').replace(/Expires=[^;]+/, 'Expires=')).toBe(attributes)
    expect([...first.headers.keys()].toSorted()).toEqual(headerNames.toSorted())
    expect(await first.text()).toBe('index get ok!')
    const second = await visit('/detail')
    expect(await second.text()).toBe('detail get ok! alice')
  } finally {
    await end(server)
  }
})

test('the store of the documentation passes the kit from the command line', async () => {
  const docs = readFileSync(join(root, 'docs/store-contract.md'), 'utf8')
  const programs = [...docs.matchAll(/```ts\n([^]*?)```/g)].map((match) => match[1] ?? '')
  const store = programs.find((program) => program.includes('export class SimpleStore'))
  await writeFile(join(project, 'simple-store.ts'), store ?? '')
  expect(await compile(['simple-store.ts'])).toBe('')
  await writeFile(
    join(project, 'kit.js'),
    `import { SimpleStore } from './simple-store.js'
     export const store = () => new SimpleStore()`,
  )
  const args = ['--no-install', 'sojourn', 'conformance', 'kit.js', '--rounds', '5', '--json']
  const { stdout, stderr } = await execute('npx', args, { cwd: project })
  const { passed, failed } = JSON.parse(stdout) as { passed: number; failed: number }
  expect(stderr).toBe('')
  expect(failed).toBe(0)
  expect(passed).toBeGreaterThan(50)
}, 60_000)

test('a CommonJS program requires it', async () => {
  await writeFile(
    join(project, 'program.cjs'),
    `const { SessionManager } = require('sojourn')
     const { MemoryStore } = require('sojourn/memory')
     const sessions = new SessionManager({ secret: 'x1'.repeat(16), store: new MemoryStore() })
     const visit = async () => {
       const session = await sessions.open(undefined)
       session.set('login', 'alice')
       const [[name, value]] = await sessions.commit(session)
       const again = await sessions.open(value.split(';')[0])
       console.log(name.toLowerCase(), again.get('login'))
       await sessions.close()
     }
     visit()`,
  )
  const { stdout } = await execute(process.execPath, ['program.cjs'], { cwd: project })
  expect(stdout).toBe('set-cookie alice\n')
})

/** The program, on a loopback address. */
function local(program = ''): string {
  return program.replace(/^(.*\.listen\()(.*)\)$/m, (line, start: string, args: string) => {
    return args.includes('127.0.0.1') ? line : `${start}${args}, '127.0.0.1')`
  })
}

interface Manifest {
  readonly version: string
  readonly exports: Record<string, string | { readonly types: string }>
  readonly devDependencies: Record<string, string>
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
}

/** What the programs import beside us, and its types, in the versions that are tested here. */
function otherPackages(): string[] {
  const imported = [...programs.join('\n').matchAll(/from '([^'./][^'/]*)/g)].map(
    (match) => match[1],
  )
  const wanted = imported.flatMap((name) => [name, `@types/${name}`]).concat('@types/node')
  return Object.entries(manifest().devDependencies)
    .filter(([name]) => wanted.includes(name))
    .map(([name, range]) => `${name}@${range}`)
}

async function npm(folder: string, args: string[]): Promise<void> {
  // A variable of the npm that runs the tests would make this one work in its folder.
  const { npm_config_local_prefix: _, ...env } = process.env
  await execute('npm', args, { cwd: folder, env })
}

/** Resolves with what the compiler complains about. */
async function compile(files: readonly string[]): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']
  const target = ['--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--ignoreConfig']
  const args = [tsc, ...strict, ...target, ...files]
  const run = execute(process.execPath, args, { cwd: project })
  return run.then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
}

async function answering(server: ChildProcess, port: number): Promise<void> {
  let output = ''
  server.stderr?.on('data', (text) => (output += String(text)))
  server.stdout?.resume()
  for (let waited = 0; waited < START_LIMIT && server.exitCode === null; waited += 50) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
    if (answer !== undefined) return
    await sleep(50)
  }
  throw new Error(`the program does not answer on port ${port}: ${output}`)
}

/** Requests with the cookies of one visitor. */
function visitor(origin: string): (path: string) => Promise<Response> {
  const jar = new CookieJar()
  return async (path) => {
    const url = origin + path
    const answer = await fetch(url, { headers: { cookie: await jar.getCookieString(url) } })
    for (const line of answer.headers.getSetCookie()) await jar.setCookie(line, url)
    return answer
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
}
