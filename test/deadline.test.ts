import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Deadlines } from '../src/deadline.ts'

const never = new Promise<never>(() => {})

it('answers what the call answers', async () => {
  const deadlines = new Deadlines(1000, 'Redis')
  await expect(deadlines.limit('load', Promise.resolve(7))).resolves.toBe(7)
  await expect(deadlines.limit('load', Promise.reject(new Error('down')))).rejects.toThrow('down')
})

it.each([
  ['commit', 'Whether it was done is not known; try again.'],
  ['ready', 'See whether it runs, can be reached there and is not overloaded.'],
])(
  'throws ERR_SESSION_TIMEOUT when %s has no answer, and says who, what and what to do',
  async (verb, advice) => {
    const deadlines = new Deadlines(20, 'Redis')
    await expect(deadlines.limit(verb, never)).rejects.toMatchObject({
      code: 'ERR_SESSION_TIMEOUT',
      status: 503,
      message: `Redis did not answer ${verb} within 20 ms. ${advice}`,
    })
  },
)

it('keeps the time of each of many calls, with answers between them', async () => {
  const deadlines = new Deadlines(60, 'Redis')
  const begun = performance.now()
  const outcomes = Array.from({ length: 50 }, async (_, index) => {
    await delay(index)
    const call = index % 2 === 0 ? never : Promise.resolve(index)
    const started = performance.now()
    const result = await deadlines
      .limit('load', call)
      .catch((error: { code: string }) => error.code)
    return { result, took: performance.now() - started }
  })
  for (const { result, took } of await Promise.all(outcomes)) {
    if (typeof result === 'number') continue
    expect(result).toBe('ERR_SESSION_TIMEOUT')
    expect(took).toBeGreaterThanOrEqual(59)
  }
  expect(performance.now() - begun).toBeLessThan(5000)
})

it('can be used again after a pause', async () => {
  const deadlines = new Deadlines(10, 'Redis')
  await expect(deadlines.limit('load', never)).rejects.toThrow('did not answer')
  await delay(30)
  await expect(deadlines.limit('load', never)).rejects.toThrow('did not answer')
  await expect(deadlines.limit('load', Promise.resolve('ok'))).resolves.toBe('ok')
})
