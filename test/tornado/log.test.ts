import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Application, HttpError, RequestHandler } from '../../src/tornado/index.ts'
import type { Settings } from '../../src/tornado/index.ts'
import { describeError } from '../../src/tornado/log.ts'
import { fetchRaw } from './browser.ts'

class Failing extends RequestHandler {
  get() {
    const status = Number(this.getArgument('status'))
    if (status > 0) throw new HttpError(status, 'why it was refused')
    const cause = Object.assign(new Error('inner'), { headers: { cookie: 'sid=secret' } })
    throw Object.assign(new Error('outer', { cause }), { config: { token: 'secret' } })
  }
}

let printed: string[] = []

beforeEach(() => {
  printed = []
  vi.spyOn(console, 'error').mockImplementation((text: unknown) => void printed.push(String(text)))
})
afterEach(() => {
  vi.restoreAllMocks()
})

async function request(path: string, settings: Settings = {}): Promise<number> {
  const app = new Application([['/', Failing]], settings)
  const { url } = await app.listen(0, '127.0.0.1')
  const { status } = await fetchRaw(url + path)
  await app.close()
  return status
}

describe('without a log function', () => {
  test('an exception is printed once: stack and causes, without query and other properties', async () => {
    expect(await request('/?status=0&token=secret')).toBe(500)
    expect(printed).toHaveLength(1)
    expect(printed[0]).toMatch(/^500 GET \/\nError: outer\n +at [^]+\nbecause of Error: inner\n/)
    expect(printed[0]).not.toContain('secret')
  })

  test('a refusal is printed from 500 on, with its message', async () => {
    expect([await request('/?status=403'), await request('/none')]).toEqual([403, 404])
    expect(printed).toEqual([])
    await request('/?status=502')
    expect(printed).toEqual(['502 GET /\nwhy it was refused'])
  })
})

describe('a log function', () => {
  test('is told of every request, without its query', async () => {
    const logFunction = vi.fn<NonNullable<Settings['logFunction']>>()
    await request('/none?token=secret', { logFunction })
    expect(logFunction.mock.calls).toEqual([
      [
        {
          method: 'GET',
          path: '/none',
          status: 404,
          remoteIp: '127.0.0.1',
          duration: expect.any(Number),
          errors: [],
        },
      ],
    ])
    expect(printed).toEqual([])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('the disk is full')
      },
    ],
    ['rejects', (): unknown => Promise.reject(new Error('the disk is full'))],
  ])('that %s harms no request', async (_, logFunction) => {
    expect(await request('/?status=418', { logFunction })).toBe(418)
    expect(printed).toEqual([
      expect.stringContaining('The log function failed: Error: the disk is full'),
    ])
  })
})

test('what is not an error is described by its type', () => {
  expect(describeError('a secret')).toBe('A string was thrown.')
})
