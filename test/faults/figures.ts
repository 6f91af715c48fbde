import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type RemoteStore, StoreProcess } from '../../src/conformance/process.ts'
import { Load, type LoadOptions, type Outcomes } from '../support/load.ts'
import type { SessionStore } from '../../src/store.ts'

/** The figures of one race or fault, as a line of the table of `npm run figures`. */
export interface Figures extends Outcomes {
  readonly engine: string
  readonly what: string
  readonly rounds: number
  readonly processes: number
  /** How many acknowledged writes the engine may lose, as its documentation says. */
  readonly mayLose: number
}

/** What a fault is made to. */
export interface Scene {
  readonly engine: string
  /** What happens: `killed and restarted`. */
  readonly what: string
  /** The stores that the writers use; one may be replaced while they write. */
  readonly stores: readonly SessionStore[]
  /** A store that takes no part, and looks for everything afterwards. */
  readonly witness: SessionStore
  /** How many processes write. @default 1 */
  readonly processes?: number
  readonly load?: LoadOptions
  /** See {@link Figures}. @default 0 */
  readonly mayLose?: number
}

const BEFORE_AND_AFTER = 300
const FIVE_MINUTES = 300_000

/** Makes a fault while writers are at work, lets them go on after it, and tells what came of it. */
export async function duringFault(
  scene: Scene,
  fault: (load: Load) => Promise<void>,
): Promise<Figures> {
  const [figures] = await duringFaults([scene], async ([load]) => {
    if (load !== undefined) await fault(load)
  })
  if (figures === undefined) throw new TypeError('There was no scene.')
  return figures
}

/** One fault for several loads, such as those of different clients of one engine. */
export async function duringFaults(
  scenes: readonly Scene[],
  fault: (loads: readonly Load[]) => Promise<void>,
): Promise<readonly Figures[]> {
  const loads = scenes.map(({ stores, load }) => new Load(stores, load))
  const enough = (): Promise<unknown> =>
    Promise.all(loads.map((load) => load.acknowledged(BEFORE_AND_AFTER)))
  try {
    await Promise.all(loads.map((load) => load.begin()))
    await enough()
    await fault(loads)
    await enough()
  } finally {
    await Promise.all(loads.map((load) => load.end()))
  }
  return Promise.all(scenes.map(async (scene, n) => figuresOf(scene, loads[n])))
}

async function figuresOf(scene: Scene, load: Load | undefined): Promise<Figures> {
  const { engine, what, witness, processes = 1, mayLose = 0 } = scene
  if (load === undefined) throw new TypeError('There was no load.')
  return tell({ engine, what, rounds: 1, processes, mayLose, ...(await load.verify(witness)) })
}

/** Prints the figures; for `npm run figures` they are written to a file too. */
export function tell(figures: Figures): Figures {
  const { engine, what, acknowledged, failed, gone, lost, resurrected, slowest } = figures
  console.log(
    `${engine}, ${what}: ${acknowledged} acknowledged, ${failed} failed, ${gone} gone, ${lost} lost, ` +
      `${resurrected} resurrected, the slowest answer after ${slowest} ms`,
  )
  const file = process.env['SOJOURN_FIGURES']
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figures)}\n`)
  return figures
}

/** What holds of every fault, whatever the engine. */
export function expectNothingWrong(figures: Figures): void {
  const { engine, strange, hanging, doubled, lost, resurrected, mayLose } = figures
  expect({ engine, strange, hanging, doubled }).toEqual({
    ...{ engine, strange: [], hanging: 0, doubled: 0 },
  })
  expect(lost + resurrected).toBeLessThanOrEqual(mayLose)
}

/** Resolves when a store answers, which on a busy machine takes it more than a deadline. */
export async function answers(store: SessionStore): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const error: unknown = await Promise.resolve(store.ready?.()).then(() => undefined, String)
    if (error === undefined) return
    await sleep(100)
  }
  throw new Error('The store does not answer.')
}

/** A store in a process of its own whose clock is `skew` ms wrong. */
export function startProcess(
  engine: string,
  env: Readonly<Record<string, string>>,
  skew = 0,
): Promise<RemoteStore> {
  const worker = new URL(`../conformance/workers/${engine}.ts`, import.meta.url)
  return StoreProcess.start({ worker, env, skew, execArgv: ['--import', 'tsx'] })
}

/** Two processes at work whose clocks are ten minutes apart. */
export async function underWrongClocks(
  engine: string,
  env: Readonly<Record<string, string>>,
  witness: SessionStore,
): Promise<Figures> {
  const skews = [FIVE_MINUTES, -FIVE_MINUTES]
  const stores = await Promise.all(skews.map((skew) => startProcess(engine, env, skew)))
  try {
    const scene = { engine, what: 'clocks ±5 minutes', stores, witness, processes: 2 }
    return await duringFault(scene, async () => {})
  } finally {
    await Promise.all(stores.map((remote) => remote.close()))
  }
}
