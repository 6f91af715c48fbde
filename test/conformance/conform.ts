import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StoreHarness, storeChecks } from '../../src/conformance/index.ts'
import { type Engine, type EngineName, engines, type StartedEngine } from './engines.ts'

/** Makes a test of every check of the kit, for one engine. */
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

    for (const check of storeChecks) {
      test(`${check.id} ${check.title}`, { timeout: 60_000 }, async ({ skip }) => {
        const why = kit.lacks(check)
        if (why !== undefined) skip(why)
        await expect(check.run(kit)).resolves.toBeUndefined()
      })
    }

    test('the kit is given all that can be given for this engine', () => {
      const reasons = storeChecks.map((check) => kit.lacks(check) ?? '')
      const missing = reasons.filter((why) => why.startsWith('not given: '))
      const names = new Set(missing.flatMap((why) => why.slice(11).split(', ')))
      expect([...names].toSorted()).toEqual(wanted.without.toSorted())
    })
  })
}
