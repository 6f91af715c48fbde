import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { ensureInstalled } from './install.js'
import { ensurePrograms } from './programs.js'
import { runScript, say } from './tools.js'
import { runVitest } from './vitest.js'

/**
 * The races and faults of test/faults, made once more, and their figures as a table. Fails if a test
 * fails, if something that was acknowledged is lost, or if a session comes back that had ended.
 */

/** @typedef {Record<string, string | number>} Row */

/** What is printed, in this order. */
const COLUMNS = [
  ...['engine', 'what', 'rounds', 'writers', 'processes', 'acknowledged', 'failed', 'gone'],
  ...['forgotten', 'lost', 'doubled', 'resurrected', 'hanging', 'slowest'],
]

await runScript(async () => {
  await ensureInstalled()
  await ensurePrograms()
  const folder = mkdtempSync(`${tmpdir()}/sojourn-figures-`)
  const file = `${folder}/figures`
  process.env['SOJOURN_FIGURES'] = file
  try {
    const { failed, passed, output } = await runVitest(['test/faults/'], { quiet: true })
    const rows = read(file)
    const wrong = rows.filter(isWrong)
    if (failed > 0) say(output)
    say(table(rows))
    for (const row of wrong) say(`✗ ${row['engine']}, ${row['what']}: see above`)
    say(`${passed} passed, ${failed} failed`)
    return failed > 0 || wrong.length > 0 || rows.length === 0 ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** @param {Row} row */
function isWrong(row) {
  const back = Number(row['lost']) + Number(row['resurrected'])
  return back > Number(row['mayLose']) || Number(row['doubled']) > 0
}

/**
 * @param {string} file
 * @returns {Row[]}
 */
function read(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines
    .map((line) => JSON.parse(line))
    .toSorted((a, b) => `${a.engine} ${a.what}`.localeCompare(`${b.engine} ${b.what}`))
}

/** @param {readonly Row[]} rows */
function table(rows) {
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((name) => `${row[name] ?? ''}`))]
  const widths = COLUMNS.map((_, n) => Math.max(...lines.map((line) => line[n]?.length ?? 0)))
  return lines.map((line) => lineOf(line, widths)).join('\n')
}

/**
 * Numbers stand on the right.
 * @param {readonly string[]} cells
 * @param {readonly number[]} widths
 */
function lineOf(cells, widths) {
  return cells
    .map((cell, n) => (n < 2 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
    .join('  ')
}
