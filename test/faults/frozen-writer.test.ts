import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { SessionManager } from '../../src/manager.ts'
import type { SessionStore } from '../../src/store.ts'
import { EmbeddedStore } from '../../src/stores/embedded.ts'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { openSqlite } from '../conformance/workers/sqlite.ts'
import { SECRET } from '../support/stage.ts'
import { Visitor } from '../support/visitor.ts'

vi.setConfig({ testTimeout: 60_000 })

const DEADLINE = '500ms'

const engines: Readonly<Record<string, (path: string) => SessionStore>> = {
  embedded: (path) => new EmbeddedStore({ path }),
  sqlite: (path) => new SqliteStore(openSqlite(path), { deadline: DEADLINE }),
}

test.each(Object.entries(engines))(
  '%s: a process frozen while it writes holds up no reader, and writers no longer than the deadline',
  async (engine, open) => {
    const directory = await mkdtemp(join(tmpdir(), 'sojourn-frozen-'))
    const path = join(directory, 'sessions')
    const store = open(path)
    const manager = new SessionManager({ secret: SECRET, store, storeDeadline: DEADLINE })
    const patient = new Visitor(new SessionManager({ secret: SECRET, store, storeDeadline: '20s' }))
    await patient.request((session) => session.set('n', 0))
    const alice = new Visitor(manager, patient.cookie)
    const holder = await hold(engine, path)
    try {
      expect((await patient.request((session) => session.get('n'))).result).toBe(0)
      let ticks = 0
      const ticking = setInterval(() => ticks++, 10)
      const write = alice.request((session) => session.increment('n'))
      await expect(write).rejects.toMatchObject({ code: 'ERR_SESSION_TIMEOUT', status: 503 })
      clearInterval(ticking)
      expect(ticks).toBeGreaterThan(3)
      expect((await patient.request((session) => session.get('n'))).result).toBe(0)
    } finally {
      await end(holder)
    }
    const add = (): Promise<unknown> =>
      alice.request((session) => session.increment('n')).then(() => 'stored', String)
    await expect.poll(add, { timeout: 20_000 }).toBe('stored')
    // The one that was not answered may have been done, once.
    const { result } = await patient.request((session) => session.get('n'))
    expect([1, 2]).toContain(result)
    await manager.close()
    await rm(directory, { recursive: true })
  },
)

/** A process that has begun to write, and does not go on. */
async function hold(engine: string, path: string): Promise<ChildProcess> {
  const { pathname } = new URL('../support/holding.ts', import.meta.url)
  const args = ['--import', 'tsx', pathname, engine, path]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
