import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SessionStore } from '../../src/store.ts'
import { EmbeddedStore } from '../../src/stores/embedded.ts'
import { SqliteStore } from '../../src/stores/sqlite.ts'
import { openSqlite } from '../conformance/workers/sqlite.ts'
import { newId, newRecord } from '../support/records.ts'
import { duringFault, expectNothingWrong, startProcess, underWrongClocks } from './figures.ts'

vi.setConfig({ testTimeout: 90_000 })

interface FileEngine {
  readonly open: (path: string) => SessionStore
  readonly env: (path: string) => Readonly<Record<string, string>>
  readonly name: string
  /** With what there is room again: fewer sessions, or a larger disk. */
  readonly room: string
}

const engines: Readonly<Record<string, FileEngine>> = {
  embedded: {
    open: (path) => new EmbeddedStore({ path }),
    env: (path) => ({ KIT_EMBEDDED_PATH: path }),
    name: 'sessions',
    room: 'sessions',
  },
  sqlite: {
    open: (path) => new SqliteStore(openSqlite(path)),
    env: (path) => ({ KIT_SQLITE_PATH: path }),
    name: 'sessions.db',
    room: 'disk',
  },
}

describe.each(Object.entries(engines))('%s', (engine, { open, env, name, room }) => {
  let directory: string
  let path: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sojourn-faults-'))
    path = join(directory, name)
  })

  afterEach(() => rm(directory, { recursive: true, force: true }))

  test('a process killed while it writes takes nothing with it that it had acknowledged', async () => {
    const witness = open(path)
    await witness.ready?.()
    const start = () => startProcess(engine, env(path))
    const stores = await Promise.all([start(), start()])
    const scene = { engine, what: 'a process killed', stores, witness, processes: 2 }
    const figures = await duringFault(scene, async (load) => {
      await stores[0]?.kill()
      await load.acknowledged(100)
      stores[0] = await start()
    })
    await Promise.all(stores.map((remote) => remote.close()))
    await witness.close?.()
    expectNothingWrong(figures)
    expect(figures.failed).toBeGreaterThan(0)
    expect(figures.gone).toBe(0)
  })

  test('two processes whose clocks are ten minutes apart lose nothing to each other', async () => {
    const witness = open(path)
    await witness.ready?.()
    const figures = await underWrongClocks(engine, env(path), witness)
    await witness.close?.()
    expectNothingWrong(figures)
    expect(figures.gone).toBe(0)
  })

  test('on a full disk writes fail clearly, nothing is lost, and with room it works again', async () => {
    const { code, message, ...rest } = await onFullDisk(engine, env(path), room)
    expect(code).toBe('ERR_SESSION_STORE')
    expect(message).toContain('create')
    expect(message).toMatch(/make room/i)
    expect(rest).toEqual({ lost: 0, halfWritten: 0, worksAgain: true })
  })

  test('where it may not write every write fails, and what is there stays', async () => {
    const id = newId()
    const store = open(path)
    await store.create(id, newRecord())
    await store.close?.()
    await allow(directory, { directories: 0o500, files: 0o400 })
    const run = await program('powerless.ts', [engine], env(path), POWERLESS)
    await allow(directory, { directories: 0o700, files: 0o600 })
    expect(run).toEqual(['ERR_SESSION_STORE', 'ERR_SESSION_STORE'])
    const again = open(path)
    expect(await again.load(id)).toBeDefined()
    await again.close?.()
  })
})

// Rights mean nothing to root, unless the capabilities are given up that make it so.
const WITHOUT = '-dac_override,-dac_read_search'
const POWERLESS =
  process.geteuid?.() === 0
    ? `exec setpriv --bounding-set=${WITHOUT} --inh-caps=${WITHOUT}`
    : 'exec'

/** Sets the modes of a directory and of everything in it. */
async function allow(
  directory: string,
  modes: { readonly directories: number; readonly files: number },
): Promise<void> {
  await chmod(directory, 0o700)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await allow(path, modes)
    else await chmod(path, modes.files)
  }
  await chmod(directory, modes.directories)
}

interface FullDisk {
  readonly code: string
  readonly message: string
}

function onFullDisk(
  engine: string,
  env: Readonly<Record<string, string>>,
  room: string,
): Promise<FullDisk> {
  // No file may grow beyond 6 MB; the signal that says so is ignored, so that the write fails.
  return program('full-disk.ts', [engine, room], env, "trap '' XFSZ; ulimit -S -f 6000; exec")
}

async function program<T>(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  exec: string,
): Promise<T> {
  const { pathname } = new URL(`../support/${script}`, import.meta.url)
  const command = `${exec} "$0" --import tsx "$@"`
  const options = { timeout: 60_000, env: { ...process.env, ...env } }
  const all = ['-c', command, process.execPath, pathname, ...args]
  const { stdout } = await promisify(execFile)('bash', all, options)
  return JSON.parse(stdout) as T
}
