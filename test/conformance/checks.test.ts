import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { adapterChecks, type StoreCheck, storeChecks } from '../../src/conformance/index.ts'

const contract = new URL('../../docs/store-contract.md', import.meta.url)

test('ids, levels and titles never change', () => {
  const lines = storeChecks.map(({ id, level, title }) => `${id} ${level} ${title}`)
  expect(lines).toMatchSnapshot()
})

test('no two checks have the same id', () => {
  expect(new Set(storeChecks.map(({ id }) => id)).size).toBe(storeChecks.length)
})

test('the documented contract has every clause under its number, and no other', async () => {
  const lines = (await readFile(contract, 'utf8')).split('\n')
  const documented = lines.filter((line) => line.startsWith('* **S'))
  expect(documented.toSorted()).toEqual(storeChecks.map(lineOf).toSorted())
})

test('the ids of the checks of adapters never change', () => {
  expect(adapterChecks.map(({ id, level, title }) => `${id} ${level} ${title}`)).toMatchSnapshot()
})

test('every case names checks that there are, and every check is named', async () => {
  const text = await readFile(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
  const cases = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number))
  const named = new Set(text.match(/\b[SHG]\d+[a-z]?\b/g))
  const ids = [...storeChecks, ...adapterChecks].map(({ id }): string => id)
  expect(cases).toEqual(Array.from({ length: 63 }, (_, index) => index + 1))
  expect([...named].filter((id) => !ids.includes(id))).toEqual([])
  expect(ids.filter((id) => !named.has(id))).toEqual([])
})

function lineOf({ id, level, needs, clause }: StoreCheck): string {
  const condition =
    needs === undefined ? '' : `, with ${needs.map((need) => `\`${need}\``).join(', ')}`
  return `* **${id}** (${level}${condition}) ${clause}`
}
