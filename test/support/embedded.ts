import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RemoteStore, StoreProcess } from '../../src/conformance/process.ts'
import { EmbeddedStore, type EmbeddedStoreOptions } from '../../src/stores/embedded.ts'

/** Directories, stores and processes of a test, which end together. */
export class EmbeddedStage {
  readonly #directories: string[] = []
  readonly #stores: EmbeddedStore[] = []
  readonly #processes: RemoteStore[] = []

  /** A path at which there is nothing yet. */
  async path(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'sojourn-embedded-'))
    this.#directories.push(directory)
    return join(directory, 'sessions')
  }

  open(options: EmbeddedStoreOptions): EmbeddedStore {
    const store = new EmbeddedStore(options)
    this.#stores.push(store)
    return store
  }

  /** A store over these files in a process of its own. */
  async start(path: string, events = false): Promise<RemoteStore> {
    const worker = new URL('../conformance/workers/embedded.ts', import.meta.url)
    const env = { KIT_EMBEDDED_PATH: path, KIT_EMBEDDED_EVENTS: events ? 'yes' : 'no' }
    const remote = await StoreProcess.start({ worker, env, execArgv: ['--import', 'tsx'] })
    this.#processes.push(remote)
    return remote
  }

  async clear(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((remote) => remote.kill()))
    await Promise.all(this.#stores.splice(0).map((store) => store.close()))
    const left = this.#directories.splice(0)
    await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })))
  }
}
