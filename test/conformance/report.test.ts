import { expect, test } from 'vitest'
import { run, type StoreCheck, storeChecks } from '../../src/conformance/index.ts'
import { SimpleStore } from './simple-store.ts'

const base = { level: 'MUST', clause: 'It holds.', run: async () => {} } as const
const store = (): SimpleStore => new SimpleStore()

async function reportOn(...checks: readonly StoreCheck[]): Promise<string> {
  return (await run(checks, { store, timeout: 50 })).toString()
}

test('a report says what was checked, and closes with the numbers', async () => {
  const report = await reportOn({ ...base, id: 'S900', title: 'it holds' })
  expect(report).toMatch(/^simple \(shared: process, durable: no, expiry: sweep/)
  expect(report).toMatch(/100 rounds, 16 writers in one process \(the store is of one process\)/)
  expect(report).toMatch(/\nok {7}S900 {3}MUST +\d+ ms {2}it holds\n\n1 passed, 0 failed$/)
})

test('what a MUST finds is failed, what a SHOULD finds is warned', async () => {
  const broken = async (): Promise<void> => Promise.reject(new Error('broken'))
  const must = { ...base, id: 'S900', title: 'it holds', run: broken } as const
  const report = await reportOn(must, { ...must, id: 'S901', level: 'SHOULD' })
  expect(report).toMatch(/\nFAILED {3}S900 .*\n {9}broken\nwarned {3}S901 .*\n {9}broken\n/)
  expect(report).toMatch(/\n1 warned, 0 skipped\n0 passed, 1 failed$/)
})

test('what is not declared and what is not given is skipped, with the reason', async () => {
  const report = await reportOn(
    { ...base, id: 'S900', title: 'a', needs: ['list', 'userIndex'] },
    { ...base, id: 'S901', title: 'b', needs: ['dump', 'worker'] },
  )
  expect(report).toContain('a (not declared: list, userIndex)')
  expect(report).toContain('b (not given: dump, worker)')
  expect(report).toMatch(/\n0 warned, 2 skipped\n0 passed, 0 failed$/)
})

test('a call that never ends is a failure', async () => {
  const report = await reportOn({
    ...base,
    id: 'S900',
    title: 'a',
    run: () => new Promise(() => {}),
  })
  expect(report).toContain(
    'S900: it was not done within 50 ms. The contract demands (S900): It holds.',
  )
})

test('the kit leaves no session behind', async () => {
  const kept = new SimpleStore()
  await run(storeChecks.slice(0, 10), { store: () => kept, rounds: 2 })
  expect(Reflect.get(kept, 'records')).toHaveProperty('size', 0)
})
