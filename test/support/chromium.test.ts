import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from './chromium.ts'

let server: Server
let url: string

beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader('set-cookie', ['kept=1; Max-Age=60', 'gone=1'])
    response.end(request.headers.cookie ?? 'no cookie')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://localhost:${(server.address() as AddressInfo).port}/`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test('a visitor with a profile comes back with the persistent cookie only', async () => {
  const profile = await mkdtemp(join(tmpdir(), 'sojourn-chromium-test-'))
  expect(await visit(profile)).toBe('no cookie')
  expect(await visit(profile)).toBe('kept=1')
  expect(existsSync(profile)).toBe(true)
  await rm(profile, { recursive: true, maxRetries: 10, retryDelay: 100 })
})

test('a browser without a profile is a new visitor', async () => {
  expect(await visit()).toBe('no cookie')
})

async function visit(profile?: string): Promise<string> {
  const browser = await launchChromium(profile === undefined ? {} : { profile })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    return await page.innerText('body')
  } finally {
    await browser.close()
  }
}
