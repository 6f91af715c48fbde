import { expect, test, vi } from 'vitest'
import { StoreHarness } from '../../src/conformance/index.ts'
import type { CommitOutcome, SessionId, SessionStore } from '../../src/store.ts'
import { type EngineName, engines } from '../conformance/engines.ts'
import { expectNothingWrong, type Figures, tell } from './figures.ts'

vi.setConfig({ testTimeout: 120_000 })

// The conformance kit runs a hundred rounds of each of its races; so does `npm run figures` here.
const ROUNDS = process.env['SOJOURN_FIGURES'] === undefined ? 15 : 100
const RACING = ['memory', 'embedded', 'sqlite', 'redis', 'memcached', 'postgres'] as const

test.each(RACING)('%s: in a race nothing is lost, doubled or resurrected', async (name) => {
  const engine = await engines[name satisfies EngineName].start()
  const kit = await StoreHarness.open({ ...engine.options, execArgv: ['--import', 'tsx'] })
  try {
    const race = new Race(kit)
    for (let round = 0; round < ROUNDS; round++) await race.round()
    const figures = race.figures(name, ROUNDS)
    expectNothingWrong(figures)
    expect(figures.acknowledged).toBeGreaterThan(ROUNDS * kit.writers.length)
  } finally {
    await kit.close()
    await engine.stop()
  }
})

/** Writers who all change, take from, and end the same sessions at once. */
class Race {
  readonly #kit: StoreHarness
  readonly #strange: string[] = []
  #acknowledged = 0
  #gone = 0
  #lost = 0
  #doubled = 0
  #resurrected = 0
  #slowest = 0

  constructor(kit: StoreHarness) {
    this.#kit = kit
  }

  async round(): Promise<void> {
    const kept = await this.#kit.session(this.#kit.holding({ once: '1' }))
    const doomed = await this.#kit.session()
    const begun = performance.now()
    const writes = await this.#kit.parallel((store, n) => this.#step(store, n, kept, doomed))
    this.#slowest = Math.max(this.#slowest, performance.now() - begun)
    await this.#verify(kept, doomed, writes)
  }

  /** What one writer does: one of them ends the doomed session in the middle of it. */
  async #step(store: SessionStore, n: number, kept: SessionId, doomed: SessionId): Promise<Write> {
    const change = this.#kit.setting({ [`w${n}`]: `${n}` }, { add: new Map([['sum', 1]]) })
    const late = this.#kit.setting({ late: '1' })
    const [outcome, taken, end] = await Promise.all([
      store.commit(kept, change),
      store.take(kept, 'once'),
      n === 0 ? store.destroy(doomed) : store.commit(doomed, late),
    ])
    this.#count(outcome)
    if (n > 0) this.#count(end as CommitOutcome)
    else this.#acknowledged++
    return { n, written: typeof outcome === 'object', taken: taken !== undefined }
  }

  async #verify(kept: SessionId, doomed: SessionId, writes: readonly Write[]): Promise<void> {
    const values = (await this.#kit.other.load(kept))?.values
    const written = writes.filter((write) => write.written)
    const missing = written.filter(({ n }) => values?.get(`w${n}`) !== `${n}`).length
    const sum = Number(values?.get('sum') ?? 0)
    const taken = writes.filter((write) => write.taken).length
    this.#lost += missing + Math.max(0, written.length - sum) + Math.max(0, 1 - taken)
    this.#doubled += Math.max(0, sum - written.length) + Math.max(0, taken - 1)
    this.#resurrected += (await this.#kit.other.load(doomed)) === undefined ? 0 : 1
  }

  #count(outcome: CommitOutcome): void {
    if (typeof outcome === 'object') this.#acknowledged++
    else if (outcome === 'gone') this.#gone++
    else this.#strange.push(outcome)
  }

  figures(engine: string, rounds: number): Figures {
    const { writers, processes } = this.#kit
    const where = { writers: writers.length, processes: Math.max(1, processes) }
    const none = { failed: 0, forgotten: 0, hanging: 0, mayLose: 0 }
    return tell({
      ...{ engine, what: 'a race', rounds, ...where, ...none },
      acknowledged: this.#acknowledged,
      gone: this.#gone,
      lost: this.#lost,
      doubled: this.#doubled,
      resurrected: this.#resurrected,
      slowest: Math.round(this.#slowest),
      strange: this.#strange,
    })
  }
}

interface Write {
  readonly n: number
  readonly written: boolean
  readonly taken: boolean
}
