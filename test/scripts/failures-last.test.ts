import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../support/source.ts'

const VITEST = `${root}node_modules/vitest/vitest.mjs`

const FAILING = `
import { expect, test } from 'vitest'
test('one is two', () => expect({ one: 1 }).toEqual({ one: 2 }))
test('one is one', () => expect(1).toBe(1))
test('waits', async () => {
  setTimeout(() => { throw new Error('outside of it') })
  await new Promise((done) => setTimeout(done, 50))
})
`

let folder: string
let output: string
let code: unknown

beforeAll(async () => {
  await mkdir(`${root}.build`, { recursive: true })
  folder = await mkdtemp(`${root}.build/failures-`)
  await mkdir(`${folder}/test`)
  await writeFile(`${folder}/test/some.test.ts`, FAILING)
  await writeFile(`${folder}/test/unreadable.test.ts`, `throw new Error('not even loaded')`)
  const reporters = ['--reporter=default', `--reporter=${root}scripts/failures-last.js`]
  const args = [VITEST, 'run', '--root', folder, ...reporters]
  // The Vitest that runs this test says so in its environment.
  const env = { PATH: process.env['PATH'], NO_COLOR: '1' }
  await new Promise<void>((done) => {
    execFile(process.execPath, args, { env }, (error, stdout) => {
      output = stdout
      code = error?.code
      done()
    })
  })
}, 60_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('at the end of a run that failed', () => {
  test.each([
    ['a test', /some\.test\.ts > one is two\n {2}expected \{ one: 1 \} to deeply equal/],
    ['a file that could not be loaded', /unreadable\.test\.ts\n {2}not even loaded/],
    ['an error outside of the tests', /an error outside of the tests\n {2}outside of it/],
  ])('%s is named, with what was wrong', (_what, found) => {
    expect(code).toBe(1)
    const end = output.slice(output.lastIndexOf(' Duration '))
    expect(end).toMatch(found)
    expect(end.match(/^FAILED /gm)).toHaveLength(3)
  })

  test('what passed is not', () => {
    expect(output.slice(output.indexOf('FAILED '))).not.toContain('one is one')
  })
})
