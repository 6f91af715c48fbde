import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type StoreCheck, StoreHarness, storeChecks } from '../../src/conformance/index.ts'
import type { StoreNeed } from '../../src/conformance/index.ts'
import { type Engine, type EngineName, engines, type StartedEngine } from './engines.ts'

/** Makes a test of every check of the kit that is applicable to one engine. */
export function conform(name: EngineName): void {
  describe(`${name} keeps the contract`, () => {
    const wanted: Engine = engines[name]
    let engine: StartedEngine | undefined
    let kit: StoreHarness

    beforeAll(async () => {
      engine = await wanted.start()
      kit = await StoreHarness.open({ ...engine.options, execArgv: ['--import', 'tsx'] })
    }, 60_000)

    afterAll(async () => {
      await kit?.close()
      await engine?.stop()
    }, 60_000)

    for (const check of storeChecks.filter((one) => unmet(one, wanted).length === 0)) {
      test(`${check.id} ${check.title}`, { timeout: 60_000 }, async () => {
        await expect(check.run(kit)).resolves.toBeUndefined()
      })
    }

    test(`the needs that are not met are known; ${summaryOf(wanted)}`, () => {
      const needs = [...new Set(storeChecks.flatMap((check) => check.needs ?? []))]
      const lacking = needs.filter((need) => kit.lacks({ ...NOTHING, needs: [need] }) !== undefined)
      expect(lacking.toSorted(), 'the list of engines.ts').toEqual(wanted.without.toSorted())
    })
  })
}

const NOTHING: Omit<StoreCheck, 'needs'> = {
  id: 'S0',
  level: 'MUST',
  clause: '',
  title: '',
  run: async () => {},
}

function unmet({ needs = [] }: StoreCheck, { without }: Engine): readonly StoreNeed[] {
  return needs.filter((need) => without.includes(need))
}

// One line: which checks say nothing of this engine, and what they would need. `npm test` shows it.
function summaryOf(engine: Engine): string {
  const groups = new Map<string, string[]>()
  for (const check of storeChecks) {
    const needs = unmet(check, engine).join(', ')
    if (needs !== '') groups.set(needs, [...(groups.get(needs) ?? []), check.id])
  }
  const parts = [...groups].map(([needs, ids]) => `${ids.join(' ')} (no ${needs})`)
  return `not applicable: ${parts.length === 0 ? 'none' : parts.join('; ')}`
}
