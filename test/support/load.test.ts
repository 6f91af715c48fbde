import { expect, test } from 'vitest'
import { SessionError } from '../../src/errors.ts'
import type { CommitOutcome, SessionChange, SessionId } from '../../src/store.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { Load, type Outcomes } from './load.ts'

async function run(store: MemoryStore): Promise<Outcomes> {
  const load = new Load([store], { most: 30, pause: 0, patience: 20 })
  await load.begin()
  await load.acknowledged(100)
  await load.end()
  return load.verify(store)
}

/** Commits, but for every tenth, of which becomes something else. */
abstract class Wrong extends MemoryStore {
  #commits = 0

  override commit(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
    if (++this.#commits % 10 !== 0) return super.commit(id, change)
    return this.tenth(id, change)
  }

  abstract tenth(id: SessionId, change: SessionChange): Promise<CommitOutcome>
}

test('nothing is found in a store that keeps the contract', async () => {
  const { acknowledged, slowest, writers, ...rest } = await run(new MemoryStore())
  expect(acknowledged).toBeGreaterThanOrEqual(100)
  expect(slowest).toBeLessThan(1000)
  expect(writers).toBe(12)
  const nothing = { failed: 0, forgotten: 0, lost: 0, doubled: 0, resurrected: 0, hanging: 0 }
  expect(rest).toMatchObject({ ...nothing, strange: [] })
})

test('a write that is acknowledged and not kept is lost', async () => {
  class Forgetful extends Wrong {
    override async tenth(): Promise<CommitOutcome> {
      return { generation: 0, expiresAt: 0, deadline: 0, added: new Map() }
    }
  }
  expect((await run(new Forgetful())).lost).toBeGreaterThan(0)
})

test('a write that is done twice is doubled', async () => {
  class Twice extends Wrong {
    override async tenth(id: SessionId, change: SessionChange): Promise<CommitOutcome> {
      await super.commit(id, change)
      return super.commit(id, change)
    }
  }
  expect((await run(new Twice())).doubled).toBeGreaterThan(0)
})

test('a session that is there after its end is resurrected', async () => {
  class Reluctant extends MemoryStore {
    override async destroy(): Promise<boolean> {
      return true
    }
  }
  expect((await run(new Reluctant())).resurrected).toBeGreaterThan(0)
})

test('an answer that does not come in time hangs, and an outage is a failure', async () => {
  class Slow extends Wrong {
    override async tenth(): Promise<CommitOutcome> {
      await new Promise((resolve) => setTimeout(resolve, 60))
      throw new SessionError('ERR_SESSION_TIMEOUT', 'It did not answer.')
    }
  }
  const { hanging, failed, strange } = await run(new Slow())
  expect(hanging).toBeGreaterThan(0)
  expect(failed).toBeGreaterThan(0)
  expect(strange).toEqual([])
})

test('every other answer is strange', async () => {
  class Odd extends Wrong {
    override async tenth(): Promise<CommitOutcome> {
      throw new TypeError('odd')
    }
  }
  expect((await run(new Odd())).strange[0]).toContain('odd')
})
