import type { StoreHarness } from './harness.ts'

const FIRST_SPAN = 100
const LAST_SPAN = 3200

/** The machine was too slow for a scenario: what was seen says nothing about the store. */
class Late extends Error {}

/**
 * Runs a step that must be done before a time. What it throws counts only if that time has not come
 * meanwhile.
 */
export type Before = <T>(time: number, step: () => Promise<T>) => Promise<T>

/**
 * Runs a scenario in which something expires after `span` ms. If a busy machine was too slow for it,
 * it is run again with twice the span, so that a check fails only for what the store did.
 */
export async function expiring(
  kit: StoreHarness,
  scenario: (span: number, before: Before) => Promise<void>,
): Promise<void> {
  for (let span = FIRST_SPAN; ; span *= 2) {
    try {
      await scenario(span, (time, step) => inTime(kit, time, step))
      return
    } catch (error) {
      if (!(error instanceof Late) || span >= LAST_SPAN) throw error
    }
  }
}

async function inTime<T>(kit: StoreHarness, time: number, step: () => Promise<T>): Promise<T> {
  const done = await step().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (kit.now() >= time) throw new Late('The machine is too slow to check expiry.')
  if ('error' in done) throw done.error
  return done.value
}
