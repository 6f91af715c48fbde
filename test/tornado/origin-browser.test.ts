import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { Program } from './program.ts'
import { IN_MEMORY, run } from './running.ts'
import { doing } from './work.ts'

// In a real browser: what no cookie jar of ours could know.

// A browser takes seconds to start where several tests share a machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let directory: string
let program: Program
let url: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sojourn-browser-'))
  program = new Program({ directory, args: ['--port', '0'] })
  url = await program.serving()
})
afterAll(async () => {
  await program.stop()
  await rm(directory, { recursive: true, force: true })
})

async function textAt(page: Page, address: string): Promise<string> {
  await page.goto(address)
  return page.innerText('body')
}

/** One visit with a browser of its own, which is closed afterwards. */
async function visit<T>(profile: string, work: (page: Page) => Promise<T>): Promise<T> {
  const browser: BrowserContext = await launchChromium({ profile: join(directory, profile) })
  try {
    return await work(await browser.newPage())
  } finally {
    await browser.close()
  }
}

test('each browser profile has a session of its own', async () => {
  const [alice, bob] = await Promise.all(
    ['alice', 'bob'].map((name) =>
      visit(name, async (page) => {
        const before = await textAt(page, `${url}/detail`)
        await page.goto(`${url}/?name=${name}`)
        return [before, await textAt(page, `${url}/detail`)]
      }),
    ),
  )
  const nothing = 'Nothing is stored yet. Open /?name=alice first.'
  expect(alice).toEqual([nothing, 'detail get ok! alice'])
  expect(bob).toEqual([nothing, 'detail get ok! bob'])
})

describe('closing the browser', async () => {
  const set = doing(({ session }) => session.set('name', 'alice').size)
  const get = doing(({ session }) => session.get('name', 'nothing'))
  const serve = async (cookies: { expiresDays?: number }) => {
    const pycket = { engine: 'memory', cookies } as const
    return (
      await run(
        [
          ['/set', set],
          ['/get', get],
        ],
        { ...IN_MEMORY, pycket },
      )
    ).url
  }

  test.each([
    ['ends the session for the visitor', {}, 'nothing'],
    ['leaves it, with expiresDays', { expiresDays: 2 }, 'alice'],
  ])('%s', async (_, cookies, expected) => {
    const site = await serve(cookies)
    const profile = `closing-${expected}`
    const before = await visit(profile, async (page) => {
      await page.goto(`${site}/set`)
      return textAt(page, `${site}/get`)
    })
    const after = await visit(profile, (page) => textAt(page, `${site}/get`))
    expect([before, after]).toEqual(['{"result":"alice"}', `{"result":"${expected}"}`])
  })
})

test('the page shows what the server keeps, and its buttons do what they say', async () => {
  await visit('page', async (page) => {
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) {
        complaints.push(request.url())
      }
    })
    const state = () => page.innerText('.state')
    const press = (name: string) => page.getByRole('button', { name }).click()
    const fill = (name: string, text: string) => page.getByRole('textbox', { name }).fill(text)
    const cookie = async () => {
      const cookies = await page.context().cookies(url)
      return cookies.find(({ name }) => name === '__Host-Http-sid')?.value
    }

    await page.goto(`${url}/session`)
    expect([await state(), await cookie()]).toEqual(['No session', undefined])

    await fill('Name', '<img src=x onerror=alert(1)>')
    await fill('Value', '张三 <script>alert(1)</script> 😀')
    await press('Set value')
    expect(await state()).toBe('Anonymous')
    const row = page.getByRole('row').last()
    expect(await row.innerText()).toContain("'张三 <script>alert(1)</script> 😀'")
    expect(await row.innerText()).toContain('<img src=x onerror=alert(1)>')

    const anonymous = await cookie()
    await fill('User', 'alice')
    await press('Log in')
    expect([await state(), await page.getByRole('status').innerText()]).toEqual([
      'Logged in',
      'You are logged in as alice. A cookie from before the login opens nothing any more.',
    ])
    const loggedIn = await cookie()
    expect(loggedIn).not.toBe(anonymous)

    await press('Renew')
    expect(await page.getByRole('status').innerText()).toBe(
      'The cookie is new. The session is the same.',
    )
    expect(await cookie()).not.toBe(loggedIn)
    await page.reload()
    expect(await page.getByRole('status').count()).toBe(0)

    await fill('Name', ' ')
    await fill('Value', 'x')
    await press('Set value')
    expect(await page.innerText('body')).toBe(
      '400: Fill in the field name, with at most 64 characters',
    )
    await page.goBack()

    await press('Log out')
    expect([await state(), await cookie()]).toEqual(['No session', undefined])

    await page.goto(`${url}/?name=alice`)
    await page.goto(`${url}/session`)
    await press('Destroy')
    expect([await state(), await cookie()]).toEqual(['No session', undefined])
    expect(complaints.filter((text) => !/ 40[04] /.test(text))).toEqual([])
  })
})

test('the page fits a phone, and its parts have names', async () => {
  await visit('phone', async (page) => {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.goto(`${url}/?name=alice`)
    await page.goto(`${url}/session`)
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect(width).toBeLessThanOrEqual(360)
    for (const name of ['The record', 'Values', 'Try it']) {
      expect(await page.getByRole('region', { name }).count()).toBe(1)
    }
    for (const term of [
      'Began',
      'Last seen',
      'Expires',
      'Ends',
      'Cookie',
      'Browser',
      'Public id',
    ]) {
      expect(await page.getByRole('term').filter({ hasText: term }).count()).toBeGreaterThan(0)
    }
  })
})
