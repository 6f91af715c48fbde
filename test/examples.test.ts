import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Browser, visitShop } from './examples/support/browser.ts'
import { startExample, stopExamples } from './examples/support/program.ts'
import { launchChromium } from './support/chromium.ts'
import { root } from './support/source.ts'

const FRAMEWORKS = [
  'node',
  'express',
  'fastify',
  'koa',
  'fetch',
  'hono',
  'h3',
  'elysia',
  'nest',
  'websocket',
] as const

afterEach(stopExamples)

test.each(FRAMEWORKS)(
  'the %s example remembers a name, counts, fills a cart, logs in and out',
  async (framework) => {
    const visitor = new Browser(await startExample(framework))
    await expect(visitShop(visitor)).resolves.toBeUndefined()
  },
  60_000,
)

test('an example is short', () => {
  const folder = join(root, 'examples')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const ours = files.filter(
    (path) => /\.tsx?$/.test(path) && !/node_modules|\/\.|^origin/.test(path),
  )
  const lengths = ours.map((path) => {
    const text = readFileSync(join(folder, path), 'utf8')
    return [path, text.trimEnd().split('\n').length] as const
  })
  expect(lengths.length).toBeGreaterThan(FRAMEWORKS.length)
  expect(lengths.filter(([, length]) => length > 40)).toEqual([])
})

test('the websocket example counts over a connection, which ends with its session', async () => {
  const port = await startExample('websocket')
  const visitor = new Browser(port)
  await visitor.page()
  const origin = `http://127.0.0.1:${port}`
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    headers: { cookie: visitor.cookie },
    origin,
  })
  await once(socket, 'open')
  socket.send('look')
  const [said] = (await once(socket, 'message')) as [Buffer]
  expect(said.toString()).toBe('view 2')
  expect(await visitor.page()).toEqual({ views: 3 })
  const closed = once(socket, 'close')
  await visitor.post('/logout')
  const [code] = (await closed) as [number]
  expect(code).toBe(1008)
}, 60_000)

test('the express example remembers a visitor with a real browser', async () => {
  const site = `http://localhost:${await startExample('express')}`
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(site)
    expect(await shown(page)).toEqual({ views: 1 })
    for (const path of ['/name/ann', '/cart/tea', '/login/ann']) await submit(page, path)
    const wanted = { user: 'ann', name: 'ann', cart: ['tea'], views: 4 }
    expect(await shown(page)).toEqual(wanted)
    const [cookie, ...others] = await browser.cookies()
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', expires: -1 })
    expect(others).toEqual([])
    expect(await page.evaluate('document.cookie')).toBe('')
    await submit(page, '/logout')
    expect(await shown(page)).toEqual({ views: 1 })
    expect((await browser.cookies()).map(({ value }) => value)).not.toContain(cookie?.value)
  } finally {
    await browser.close()
  }
}, 60_000)

/** Submits a form without fields, and follows where the answer leads. */
async function submit(page: Page, path: string): Promise<void> {
  const script = `(() => {
    const form = document.createElement('form')
    Object.assign(form, { method: 'POST', action: '${path}' })
    document.body.append(form)
    form.submit()
  })()`
  await Promise.all([page.waitForEvent('load'), page.evaluate(script)])
}

async function shown(page: Page): Promise<unknown> {
  return JSON.parse(await page.innerText('body'))
}
