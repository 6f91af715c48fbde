import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { root } from './support/source.ts'

const execute = promisify(execFile)
const compiler = join(
  createRequire(import.meta.url).resolve('typescript/package.json'),
  '../bin/tsc',
)

/** What the compiler has to say. Wrong programs among those it reads are marked as expected errors. */
async function complaints(...args: readonly string[]): Promise<string> {
  return execute(process.execPath, [compiler, ...args], { cwd: root }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
}

// The programs see what is published: declarations, and none of the sources.
beforeAll(async () => {
  await complaints('-p', '.', '--emitDeclarationOnly', '--outDir', '.build/types')
}, 60_000)

test.each([
  ['declared once for all frameworks', 'merged'],
  ['given to the manager', 'generic'],
  ['used in a CommonJS project', 'commonjs'],
])(
  'the data of a session is typed when it is %s',
  async (_how, project) => {
    expect(await complaints('-p', `test/types/${project}`)).toBe('')
  },
  60_000,
)
