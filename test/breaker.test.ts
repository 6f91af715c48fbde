import { expect, it } from 'vitest'
import { Breaker } from '../src/breaker.ts'

it('lets calls through until several have failed in a row', () => {
  const breaker = new Breaker(3, 1000)
  breaker.failed(0)
  breaker.failed(0)
  breaker.succeeded()
  breaker.failed(0)
  breaker.failed(0)
  expect(breaker.admits(0)).toBe(true)
  breaker.failed(0)
  expect(breaker.admits(999)).toBe(false)
})

it('lets one call through after the pause, and all of them once it succeeded', () => {
  const breaker = new Breaker(1, 1000)
  breaker.failed(0)
  expect(breaker.admits(1000)).toBe(true)
  expect(breaker.admits(1000)).toBe(false)
  breaker.succeeded()
  expect(breaker.admits(1000)).toBe(true)
})

it('waits again when the call that was let through failed', () => {
  const breaker = new Breaker(1, 1000)
  breaker.failed(0)
  expect(breaker.admits(1500)).toBe(true)
  breaker.failed(1500)
  expect(breaker.admits(2499)).toBe(false)
  expect(breaker.admits(2500)).toBe(true)
})
