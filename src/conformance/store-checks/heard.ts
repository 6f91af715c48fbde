import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionId, SessionStore, StopListening, StoreEvent } from '../../store.ts'
import { demand, show } from '../expect.ts'
import type { StoreHarness } from '../harness.ts'

/** What was heard of the sessions of a check, in the order in which it was told. */
export class Heard {
  readonly events: StoreEvent[] = []
  readonly #patience: number

  constructor({ timeout }: StoreHarness) {
    this.#patience = timeout / 3
  }

  /** What was told of one session, as it was told. */
  of(id: SessionId): readonly StoreEvent[] {
    return this.events.filter((event) => event.id === id)
  }

  /** The types of what was told of one session. */
  typesOf(id: SessionId): readonly string[] {
    return this.of(id).map(({ type }) => type)
  }

  /** Waits for an event of a session. */
  async until(type: StoreEvent['type'], id: SessionId): Promise<void> {
    await this.untilTrue(() => this.typesOf(id).includes(type), {
      wanted: `a watcher or consumer was told ${type} of a session`,
      id,
    })
  }

  /** Waits for something to be true of what was heard. */
  async untilTrue(
    isTrue: () => boolean,
    { wanted, id }: { readonly wanted: string; readonly id: SessionId },
  ): Promise<void> {
    const end = performance.now() + this.#patience
    while (!isTrue() && performance.now() < end) await sleep(5)
    const told = show(this.typesOf(id))
    demand(isTrue(), `it was not so within ${this.#patience} ms that ${wanted}; told was ${told}`)
  }
}

/** Runs a step while a new listener watches each of the stores, and ends the listening. */
export async function watching(
  kit: StoreHarness,
  stores: readonly SessionStore[],
  step: (heard: readonly Heard[]) => Promise<void>,
): Promise<void> {
  const heard = stores.map(() => new Heard(kit))
  const begin = stores.map(async (store, n) =>
    store.watch?.((event) => void heard[n]?.events.push(event)),
  )
  await stopping(await Promise.all(begin), () => step(heard))
}

/** Runs a step and ends some listening after it. */
export async function stopping(
  stops: readonly (StopListening | undefined)[],
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step()
  } finally {
    // One of a process that was killed cannot be ended any more.
    await Promise.allSettled(stops.map(async (stop) => stop?.()))
  }
}

/** One store for each place from which the engine is used: here, here again, and each process. */
export function placesOf(kit: StoreHarness): readonly SessionStore[] {
  return [...new Set([kit.store, kit.other, ...kit.writers])]
}

/** What is told from now on is told after what was told before: waits until all have heard it. */
export async function catchUp(kit: StoreHarness, heard: readonly Heard[]): Promise<void> {
  const mark = await kit.session()
  await Promise.all(heard.map((each) => each.until('created', mark)))
}

/** Has everything that has expired removed, by every writer at once, if the engine does not do so. */
export async function sweepEverywhere(kit: StoreHarness): Promise<void> {
  if (kit.capabilities.expiry !== 'sweep') return
  for (let calls = 0; calls < 1000; calls++) {
    const removed = await kit.parallel(async (store) => (await store.deleteExpired?.(1000)) ?? 0)
    if (removed.every((count) => count === 0)) return
  }
}
