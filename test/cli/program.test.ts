import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UsageError, type ExitCode, type Output } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { runProgram } from '../../src/cli/program.ts'
import { storeChecks } from '../../src/conformance/index.ts'
import { root } from '../support/source.ts'

const MEMORY = pathToFileURL(join(root, 'src/stores/memory.ts')).href
const EMBEDDED = pathToFileURL(join(root, 'src/stores/embedded.ts')).href
const EXPRESS = pathToFileURL(join(root, 'test/adapters/subjects/express.ts')).href

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sojourn-cli-'))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

class Paper implements Output {
  text = ''
  readonly lines: string[] = []

  write(text: string): void {
    this.text += text
  }

  progress(line: string): void {
    this.lines.push(line)
  }
}

interface Ran {
  readonly code: ExitCode
  readonly text: string
  readonly progress: readonly string[]
}

async function sojourn(...args: string[]): Promise<Ran> {
  const paper = new Paper()
  const code = await runProgram(args, paper, '1.2.3')
  return { code, text: paper.text, progress: paper.lines }
}

async function module(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

const memory = (): Promise<string> =>
  module(
    'memory.mjs',
    `import { MemoryStore } from '${MEMORY}'\nexport const store = () => new MemoryStore()`,
  )

const refused = async (...args: string[]): Promise<string> => {
  const error = await sojourn(...args).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UsageError)
  return String(error)
}

describe('the program', () => {
  test('names its version and its commands', async () => {
    expect(await sojourn('--version')).toMatchObject({ code: 0, text: '1.2.3\n' })
    const { code, text } = await sojourn('--help')
    expect(code).toBe(0)
    for (const [name, { summary }] of Object.entries(commands)) {
      expect(text).toContain(name)
      expect(text).toContain(summary)
    }
  })

  test('every command has help of its own', async () => {
    for (const name of Object.keys(commands)) {
      expect((await sojourn(name, '--help')).text).toMatch(`Usage: sojourn ${name}`)
    }
  })

  test('says what to do about a command or an option that there is not', async () => {
    expect(await refused()).toContain('A command is missing')
    expect(await refused('conformanse')).toContain(
      "There is no command 'conformanse'. Did you mean",
    )
    expect(await refused('constructor')).toContain("There is no command 'constructor'.")
    expect(await refused('conformance', 'x', '--ronds', '3')).toContain('Did you mean --rounds?')
    expect(await refused('conformance', 'x', '--rounds')).toContain('--rounds')
  })
})

describe('sojourn conformance', () => {
  test('reports on a store and says how far it is', async () => {
    const ran = await sojourn('conformance', await memory(), '--only', 'S1,S6', '--rounds', '2')
    expect(ran.code).toBe(0)
    expect(ran.text).toMatch(/^memory \(.*\n2 passed, 0 failed\n$/s)
    expect(ran.progress.map((line) => line.split(' ').slice(0, 2))).toEqual([
      ['1/2', 'S1'],
      ['2/2', 'S6'],
    ])
  })

  test('runs parallel checks in processes that load the same module', async () => {
    const path = await module(
      'embedded.mjs',
      `import { EmbeddedStore } from '${EMBEDDED}'
       export const store = () => new EmbeddedStore({ path: '${join(directory, 'data')}' })`,
    )
    const args = ['conformance', path, '--only', 'S6', '--rounds', '2', '--writers', '4']
    const cli = { execArgv: ['--import', 'tsx'], args: [join(root, 'src/cli/main.ts'), ...args] }
    const ran = spawnSync(process.execPath, [...cli.execArgv, ...cli.args], { encoding: 'utf8' })
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout).toContain('2 rounds, 4 writers in 2 processes')
    const alone = await sojourn(...args, '--processes', '0')
    expect(alone.text).toContain('in one process (no worker was given)')
  }, 60_000)

  test('answers 1 and the clause if something does not hold, and closes what the module began', async () => {
    const path = await module(
      'broken.mjs',
      `import { MemoryStore } from '${MEMORY}'
       class Broken extends MemoryStore { async create(id, record) { await super.create(id, record); return true } }
       export const store = () => new Broken()
       export const stop = () => { globalThis.stopped = true }`,
    )
    const ran = await sojourn('conformance', path, '--only', 'S3', '--json')
    const report = JSON.parse(ran.text) as { failed: number; results: { message: string }[] }
    expect([ran.code, report.failed]).toEqual([1, 1])
    expect(report.results[0]?.message).toContain('The contract demands (S3)')
    expect(Reflect.get(globalThis, 'stopped')).toBe(true)
  })

  test('a SHOULD that does not hold fails only with --level should', async () => {
    const path = await module(
      'should.mjs',
      `import { MemoryStore } from '${MEMORY}'
       class Loose extends MemoryStore { async destroy(id) { await super.destroy(id); return true } }
       export const store = () => new Loose()`,
    )
    const args = ['conformance', path, '--only', 'S17d']
    expect((await sojourn(...args)).code).toBe(0)
    expect((await sojourn(...args, '--level', 'should')).code).toBe(1)
    expect(await refused(...args, '--level', 'may')).toContain('--level is must or should')
  })

  test('checks an adapter that a module serves', async () => {
    const path = await module('adapter.mjs', `export { serveExpress5 as serve } from '${EXPRESS}'`)
    const ran = await sojourn('conformance', path, '--adapter', '--only', 'H50')
    expect(ran.text).toMatch(/^an adapter over http\/1.1.*\n1 passed, 0 failed\n$/s)
    expect(await refused('conformance', path, '--adapter', '--only', 'S1')).toContain("'S1'")
  })

  test('says what is wrong with the module', async () => {
    const empty = await module('empty.mjs', 'export const shop = 1')
    const broken = await module('broken-module.mjs', 'throw new TypeError("no such thing")')
    const other = await module('other.mjs', 'export const store = () => new Map()')
    const down = await module('down.mjs', `export const store = () => { throw Error('no engine') }`)
    expect(await refused('conformance', join(directory, 'no.mjs'))).toContain('There is no file')
    expect(await refused('conformance', empty)).toContain(
      'exports no function `store`. It exports shop',
    )
    expect(await refused('conformance', broken)).toContain(
      'could not be loaded: TypeError: no such thing',
    )
    expect(await refused('conformance', other)).toContain('no `capabilities`')
    expect(await refused('conformance', down)).toContain('Nothing could be checked: no engine')
    expect(await refused('conformance')).toContain('path of a module is missing')
    expect(await refused('conformance', empty, broken)).toContain('One module at a time')
  })

  test('says which check may have been meant, and which numbers are numbers', async () => {
    const path = await memory()
    expect(await refused('conformance', path, '--only', 'S1,S6x')).toContain(
      "There is no check 'S6x'. Did you mean S6",
    )
    for (const text of ['0', '-1', 'x', '1.5']) {
      expect(await refused('conformance', path, `--rounds=${text}`)).toContain(
        '--rounds is a whole',
      )
    }
    expect(storeChecks.length).toBeGreaterThan(100)
  })

  test('a TypeScript module that Node cannot load is said to need a loader', async () => {
    const path = await module('store.ts', 'enum A { B }\nexport const store = (): A => A.B')
    const main = join(root, 'dist/cli/main.js')
    const ran = spawnSync(process.execPath, [main, 'conformance', path], { encoding: 'utf8' })
    expect(ran.status).toBe(2)
    expect(ran.stderr).toContain("NODE_OPTIONS='--import tsx'")
  })
})
