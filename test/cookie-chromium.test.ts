import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { deletionCookie, readCookie, serializeCookie } from '../src/cookie.ts'
import { launchChromium } from './support/chromium.ts'

const name = '__Host-Http-sid'
const cookie = { name, path: '/', secure: true, sameSite: 'lax', partitioned: false } as const

let server: Server
let browser: BrowserContext
let page: Page
let origin: string
/** The Set-Cookie line that /set answers with. */
let line = ''

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/set') response.setHeader('Set-Cookie', line)
  response.setHeader('Content-Type', 'text/plain')
  response.end(JSON.stringify(readCookie(request.headers.cookie, name)))
}

async function set(setCookie: string): Promise<void> {
  line = setCookie
  await page.goto(`${origin}/set`)
}

/** What the server reads from the next request of the browser. */
async function seen(): Promise<unknown> {
  await page.goto(`${origin}/`)
  return JSON.parse(await page.locator('body').innerText())
}

beforeAll(async () => {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://localhost:${(server.address() as AddressInfo).port}`
  browser = await launchChromium()
  page = await browser.newPage()
})

beforeEach(async () => {
  await browser.clearCookies()
})

afterAll(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
})

describe('in Chromium, on http://localhost', () => {
  test('a Secure cookie with the prefix __Host-Http- is kept and sent back as it was', async () => {
    await set(serializeCookie({ ...cookie, value: "v1.~!#$%&'()*+-./:<=>?@[]^_`{|}" }))
    expect(await seen()).toStrictEqual(["v1.~!#$%&'()*+-./:<=>?@[]^_`{|}"])
  })

  test('a script can neither read, nor replace, nor delete, nor make it', async () => {
    const forge = async (): Promise<void> => {
      await page.evaluate(`document.cookie = '${name}=evil; Path=/; Secure'`)
      await page.evaluate(`document.cookie = '${name}=; Path=/; Secure; Max-Age=0'`)
    }
    await seen()
    await forge()
    expect(await seen()).toStrictEqual([])
    await set(serializeCookie({ ...cookie, value: 'good' }))
    await forge()
    expect(await page.evaluate('document.cookie')).toBe('')
    expect(await seen()).toStrictEqual(['good'])
  })

  test('without Max-Age it ends with the browser, with it after that time', async () => {
    await set(serializeCookie({ ...cookie, value: 'v' }))
    expect(await browser.cookies()).toMatchObject([
      { name, httpOnly: true, secure: true, expires: -1 },
    ])
    await set(serializeCookie({ ...cookie, value: 'v', maxAge: 3600 }))
    const [kept] = await browser.cookies()
    expect(Math.abs((kept?.expires ?? 0) - Date.now() / 1000 - 3600)).toBeLessThan(60)
  })

  test('a deletion removes it', async () => {
    await set(serializeCookie({ ...cookie, value: 'v', maxAge: 3600 }))
    expect(await seen()).toStrictEqual(['v'])
    await set(deletionCookie(cookie))
    expect(await seen()).toStrictEqual([])
    expect(await browser.cookies()).toStrictEqual([])
  })

  test('the longest cookie that is accepted here is kept, a longer one would not be', async () => {
    const value = 'v'.repeat(4096 - name.length)
    const longest = serializeCookie({ ...cookie, value })
    await set(longest.replace('=v', '=vv'))
    expect(await seen()).toStrictEqual([])
    await set(longest)
    expect(await seen()).toStrictEqual([value])
  })

  test.each([
    [`${name}=v; Path=/; HttpOnly; SameSite=Lax`],
    [`${name}=v; Path=/; Secure; SameSite=Lax`],
    [`${name}=v; Path=/set; Secure; HttpOnly`],
    [`${name}=v; Path=/; Domain=localhost; Secure; HttpOnly`],
    [`__host-http-sid=v; Path=/; HttpOnly`],
    [`__Secure-sid=v; Path=/; HttpOnly`],
    [`sid=v; Path=/; HttpOnly; SameSite=None`],
    [`sid=v; Path=/; HttpOnly; Partitioned`],
  ])('what is refused here is dropped there: %s', async (setCookie) => {
    await set(setCookie)
    expect(await browser.cookies()).toStrictEqual([])
  })
})
