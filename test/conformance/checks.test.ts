import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { type StoreCheck, storeChecks } from '../../src/conformance/index.ts'

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

function lineOf({ id, level, needs, clause }: StoreCheck): string {
  const condition =
    needs === undefined ? '' : `, with ${needs.map((need) => `\`${need}\``).join(', ')}`
  return `* **${id}** (${level}${condition}) ${clause}`
}
