import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { verify } from '../support/spin.ts'

// Twenty seconds on a free machine, for four million states.
vi.setConfig({ testTimeout: 240_000 })

const source = readFileSync(new URL('../../docs/model/session.pml', import.meta.url), 'utf8')

/** What is wrong with each broken variant of the model, and the claim that does not hold of it. */
const BROKEN = {
  COMMIT_CREATES: 'dead_sessions_stay_dead',
  EXTEND_BEYOND_THE_DEADLINE: 'no_session_outlives_its_deadline',
  NO_FENCE_CHECK: 'nothing_passes_a_fence',
  LOGIN_RENEWS: 'nobody_is_logged_in_by_an_older_cookie',
  ADOPTING_RESTARTS_GRACE: 'a_refused_cookie_stays_refused',
  ROTATE_BY_COPY: 'one_credential_is_current',
  RENEW_WHAT_WAS_LOADED: 'whoever_was_answered_has_a_good_cookie',
  WRITE_WHAT_WAS_LOADED: 'acknowledged_values_are_kept',
  WRITE_BEFORE_CHECK: 'what_is_lost_writes_nothing',
  DELETION_COOKIE_WHEN_LOST: 'what_is_lost_sends_no_cookie',
}

test('every claim holds, whatever the order in which three requests and the clock take their steps', async () => {
  const found = await verify('all_of_it')
  const { states, depth, seconds } = found
  console.log(`spin: ${states} states, depth ${depth}, ${seconds} s`)
  expect(found).toMatchObject({ errors: 0, complete: true, unreached: 0 })
  // Fewer would mean that the model had lost some of what can happen.
  expect(states).toBeGreaterThan(1_000_000)
})

test.each(Object.entries(BROKEN))('the model with %s is caught by %s', async (variant, claim) => {
  expect((await verify(claim, variant)).errors).toBe(1)
})

test('each claim and each broken variant of the model is checked here', () => {
  const claims = [...source.matchAll(/^always\((\w+),/gm)].map(([, name]) => name)
  const variants = new Set([...source.matchAll(/^#ifn?def (\w+)/gm)].map(([, name]) => name))
  expect(new Set(claims)).toEqual(new Set([...Object.values(BROKEN), 'all_of_it']))
  expect(variants).toEqual(new Set(Object.keys(BROKEN)))
})
