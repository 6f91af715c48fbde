import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runBench } from '../support/bench.ts'

const QUESTIONS = ['overhead', 'engines', 'growth', 'parts', 'scale-out', 'near-cache']
const CHARTS = [
  'engines',
  'growth-sessions',
  'growth-size',
  'near-cache',
  'overhead',
  'parts',
  'raw-limit',
  'scale-out',
]

let folder: string
let output: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sojourn-bench-'))
  output = await runBench(folder, [])
}, 600_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

test.each(QUESTIONS)('the question of %s is answered with figures', async (question) => {
  const { rows } = JSON.parse(
    await readFile(join(folder, 'results', `${question}.json`), 'utf8'),
  ) as {
    rows: { figures: Record<string, number[]> }[]
  }
  const figures = rows.flatMap((row) => Object.values(row.figures).flat())
  expect(figures.length).toBeGreaterThan(0)
  expect(figures.filter((figure) => !Number.isFinite(figure))).toEqual([])
  expect(output).toContain(`${question} (`)
})

test('the charts are drawn, and the pages show them and what was to be reached', async () => {
  const charts = await readdir(join(folder, 'charts'))
  expect(charts.toSorted()).toEqual(CHARTS.map((name) => `${name}.svg`))
  const page = await readFile(join(folder, 'performance.md'), 'utf8')
  expect(CHARTS.filter((name) => !page.includes(`charts/${name}.svg`))).toEqual([])
  expect(page).toContain('| Redis commands of a request that writes | 2.00 | 2.00 | yes |')
  expect(await readFile(join(folder, 'capacity.md'), 'utf8')).toContain('| 100,000,000 |')
})

test('what is measured already is left out when a run is resumed', async () => {
  expect(await runBench(folder, ['--resume', '--only', 'parts'])).toContain(
    'parts (1 of 1): measured already',
  )
})

test('writers that write at once to one session lose nothing, whatever the engine', async () => {
  const { rows } = JSON.parse(await readFile(join(folder, 'results', 'growth.json'), 'utf8')) as {
    rows: { of: Record<string, unknown>; figures: Record<string, number[]> }[]
  }
  const lost = rows.filter(({ of }) => of['by'] === 'writers').map(({ figures }) => figures['lost'])
  expect(lost).toEqual([[0], [0], [0], [0]])
})
