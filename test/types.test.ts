import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { exportsOfSources } from '../scripts/exports.js'
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

test('decorators have the types of the class and its session', async () => {
  expect(await complaints('-p', 'test/decorators')).toBe('')
}, 60_000)

describe('the pages of the frameworks', () => {
  const PAGES = 'docs/frameworks'
  const BLOCK = /(?:<!-- (\S+) -->\n)?```tsx?\n([\s\S]*?)\n```/g

  /** The code on a page, and the file that it was copied from, if it says so. */
  async function blocksOf(page: string): Promise<{ code: string; from: string | undefined }[]> {
    const text = await readFile(join(root, PAGES, page), 'utf8')
    return [...text.matchAll(BLOCK)].map(([, from, code = '']) => ({ code, from }))
  }

  test('show code that compiles, or that is a file of an example', async () => {
    const folder = join(root, '.build/pages')
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const pages = (await readdir(join(root, PAGES))).filter((name) => name.endsWith('.md'))
    const outdated: string[] = []
    for (const page of pages) {
      const blocks = await blocksOf(page)
      expect(blocks).not.toEqual([])
      for (const [index, { code, from }] of blocks.entries()) {
        if (from === undefined) await writeFile(join(folder, `${page}-${index}.ts`), code)
        else if (code !== (await readFile(join(root, from), 'utf8')).trim()) outdated.push(from)
      }
    }
    expect(outdated).toEqual([])
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings()))
    expect(await complaints('-p', '.build/pages')).toBe('')
  }, 60_000)

  function settings(): object {
    const paths = Object.entries(exportsOfSources()).flatMap(([subpath, target]) => {
      if (typeof target === 'string') return []
      return [[subpath.replace('.', 'sojourn'), [target.types.replace('./dist', '../types')]]]
    })
    const compilerOptions = {
      experimentalDecorators: true,
      paths: Object.fromEntries(paths) as object,
    }
    return { extends: '../../test/types/tsconfig.json', compilerOptions, include: ['.'] }
  }
})
