import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, visitShop } from './support/browser.ts'
import { Project } from './support/project.ts'

interface Case {
  readonly name: string
  /** The scripts that make it ready. */
  readonly scripts: readonly string[]
  readonly serve: (port: number) => readonly string[]
}

const CASES: readonly Case[] = [
  {
    name: 'nextjs',
    scripts: ['build'],
    serve: (port) => [
      'node_modules/next/dist/bin/next',
      'start',
      '-H',
      '127.0.0.1',
      '-p',
      `${port}`,
    ],
  },
  { name: 'sveltekit', scripts: ['build', 'check'], serve: () => ['build'] },
  {
    name: 'react-router',
    scripts: ['build', 'check'],
    serve: () => ['node_modules/@react-router/serve/bin.js', 'build/server/index.js'],
  },
]

// They are installed and built as their users would do it.
describe.each(CASES)('the $name example', ({ name, scripts, serve }) => {
  const project = new Project(name)
  let port: number

  beforeAll(async () => {
    await project.install()
    for (const script of scripts) await project.script(script)
    port = await project.serve(serve)
  }, 600_000)
  afterAll(() => project.stop())

  test('remembers a name, counts, fills a cart, logs in and out', async () => {
    await expect(visitShop(new Browser(port))).resolves.toBeUndefined()
  }, 60_000)

  test('logs in and out with a form, as its pages do it', async () => {
    const visitor = new Browser(port)
    expect(await greeting(visitor)).toBe('Hello nobody')
    expect(visitor.cookie).toBe('')
    expect(await submit(visitor, 'Enter', { name: 'ann' })).toEqual([303, '/form'])
    expect(await greeting(visitor)).toBe('Hello ann')
    const [pair = '', ...attributes] = visitor.line.toLowerCase().split('; ')
    expect(pair).toMatch(/^__host-http-sid=v1\./)
    expect(attributes.toSorted()).toEqual(['httponly', 'path=/', 'samesite=lax', 'secure'])
    const loggedIn = visitor.cookie
    expect(await submit(visitor, 'Leave', {})).toEqual([303, '/form'])
    expect(await greeting(visitor)).toBe('Hello nobody')
    visitor.cookie = loggedIn
    expect(await greeting(visitor)).toBe('Hello nobody')
  }, 60_000)
})

test.each(['bun', 'deno'])(
  'the types of the %s example are right; it is not run',
  async (name) => {
    const project = new Project(name)
    await project.install()
    await expect(project.script('check')).resolves.toBeUndefined()
  },
  300_000,
)

async function greeting(visitor: Browser): Promise<string | undefined> {
  const html = await (await visitor.send('GET', '/form')).text()
  const text = /<p id="greeting">(.*?)<\/p>/.exec(html)?.[1]
  return text?.replaceAll(/<!--.*?-->/g, '')
}

/** Presses a button of the form, without any script. */
async function submit(
  visitor: Browser,
  button: string,
  fields: Readonly<Record<string, string>>,
): Promise<readonly [number, string]> {
  const html = await (await visitor.send('GET', '/form')).text()
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  const tag = new RegExp(`<button([^>]*)>${button}</button>`).exec(html)?.[1] ?? ''
  const name = attribute(tag, 'name')
  if (name !== '') form.set(name, attribute(tag, 'value'))
  const action = attribute(tag, 'formaction')
  const target = action === '' ? '/form' : `/form${action}`
  const response = await visitor.send('POST', target, form)
  await response.text()
  const location = new URL(response.headers.get('location') ?? '', response.url)
  return [response.status, location.pathname]
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag)?.[1] ?? ''
}
