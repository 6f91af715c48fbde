import { expect, test, vi } from 'vitest'
import { run, StoreHarness } from '../../src/conformance/index.ts'
import { Lonely } from './broken/engine.ts'

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const execArgv = ['--import', 'tsx']
const worker = new URL('broken/lonely.worker.ts', import.meta.url)
const store = (): Lonely => new Lonely()

test('writers are spread over the processes that were asked for', async () => {
  const report = await run([], { store, worker, execArgv, processes: 2, writers: 5, rounds: 7 })
  expect(report.subject).toContain('parallel checks: 7 rounds, 5 writers in 2 processes')
})

test('a report says that everything ran in one process', async () => {
  const report = await run([], { store })
  expect(report.subject).toContain('16 writers in one process (no worker was given)')
})

test('errors of a store in another process keep their code', async () => {
  const kit = await StoreHarness.open({ store, worker, execArgv, processes: 1 })
  try {
    const id = await kit.session(kit.holding({ a: 'text' }))
    const [remote] = kit.writers
    await remote?.create(id, kit.holding({ a: 'text' }))
    await expect(
      remote?.commit(id, kit.change({ add: new Map([['a', 1]]) })),
    ).rejects.toMatchObject({
      code: 'ERR_SESSION_NOT_A_NUMBER',
    })
    expect((await remote?.load(id))?.values.get('a')).toBe('text')
  } finally {
    await kit.close()
  }
})

test('a process that does not start is an error, and a process that ends fails its calls', async () => {
  const silent = new URL('broken/silent.worker.ts', import.meta.url)
  await expect(StoreHarness.open({ store, worker: silent, execArgv })).rejects.toThrow(
    'the process of the kit ended with 3 before its store was open',
  )
  const kit = await StoreHarness.open({ store, worker, execArgv, processes: 1 })
  try {
    const remote = await kit.start()
    await remote.kill()
    await expect(remote.load(kit.id())).rejects.toThrow('the process of the kit has ended')
  } finally {
    await kit.close()
  }
})

test('a call fails as one to a process that has ended, though its end was not heard of yet', async () => {
  const kit = await StoreHarness.open({ store, worker, execArgv, processes: 1 })
  try {
    const remote = await kit.start()
    const killed = remote.kill()
    // The end is there, but nothing that tells of it can run before the call is sent.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    await expect(remote.load(kit.id())).rejects.toThrow('the process of the kit has ended')
    await killed
  } finally {
    await kit.close()
  }
})
