import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { run, storeChecks } from '../../src/conformance/index.ts'
import { SimpleStore } from './simple-store.ts'

test('the store of the documentation passes the kit', async () => {
  const report = await run(storeChecks, { store: () => new SimpleStore() })
  expect(report.toString()).toMatch(/\n\d\d passed, 0 failed$/)
})

test('the store of the documentation is this one, to the letter', async () => {
  const docs = await readFile(new URL('../../docs/store-contract.md', import.meta.url), 'utf8')
  const source = await readFile(new URL('simple-store.ts', import.meta.url), 'utf8')
  expect(docs).toContain(
    `\`\`\`ts\n${source.replaceAll(/'..\/..\/src\/\w+.ts'/g, "'sojourn'")}\`\`\`\n`,
  )
})
