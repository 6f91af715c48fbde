import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { freePort } from './support/redis.ts'
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
] as const

const programs: ChildProcess[] = []
const directories: string[] = []

afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill()
    if (program.exitCode === null && program.signalCode === null) await once(program, 'exit')
  }
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

/** Starts an example as it was built, in an empty directory; answers its port when it serves. */
async function start(framework: string): Promise<number> {
  const path = join(root, '.build/examples', framework, 'main.js')
  if (!existsSync(path)) throw new Error('The examples are not built: npm run build')
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-example-'))
  directories.push(directory)
  const port = await freePort()
  const { NODE_ENV: _, ...env } = process.env
  const program = spawn(process.execPath, [path], {
    cwd: directory,
    env: { ...env, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  programs.push(program)
  const [said] = await Promise.race([once(program.stdout, 'data'), once(program, 'exit')])
  expect(String(said)).toContain('serves')
  return port
}

/** A browser with one cookie. */
function browser(port: number) {
  let cookie = ''
  const send = async (method: string, path: string): Promise<Response> => {
    const url = `http://127.0.0.1:${port}${path}`
    const response = await fetch(url, { method, headers: { cookie }, redirect: 'manual' })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) cookie = /Max-Age=0/.test(line) ? '' : (line.split(';')[0] ?? '')
    return response
  }
  return {
    post: async (path: string) => {
      const response = await send('POST', path)
      await response.text()
      return [
        response.status,
        new URL(response.headers.get('location') ?? '', response.url).pathname,
      ]
    },
    page: async () => (await send('GET', '/')).json(),
    get cookie() {
      return cookie
    },
    set cookie(given: string) {
      cookie = given
    },
  }
}

test.each(FRAMEWORKS)(
  'the %s example remembers a name, counts, fills a cart, logs in and out',
  async (framework) => {
    const visitor = browser(await start(framework))
    expect(await visitor.page()).toEqual({ views: 1 })
    expect(await visitor.post('/name/ann')).toEqual([303, '/'])
    await visitor.post('/cart/tea')
    await visitor.post('/cart/milk')
    const cart = ['tea', 'milk']
    expect(await visitor.page()).toEqual({ name: 'ann', cart, views: 2 })
    const before = visitor.cookie
    expect(await visitor.post('/login/ann')).toEqual([303, '/'])
    expect(visitor.cookie).not.toBe(before)
    expect(await visitor.page()).toEqual({ user: 'ann', name: 'ann', cart, views: 3 })
    const loggedIn = visitor.cookie
    await visitor.post('/logout')
    expect(visitor.cookie).toBe('')
    visitor.cookie = loggedIn
    expect(await visitor.page()).toEqual({ views: 1 })
  },
  60_000,
)
