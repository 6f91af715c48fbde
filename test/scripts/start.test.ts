import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { root } from '../support/source.ts'

test.each(['SIGTERM', 'SIGINT'] as const)(
  'npm start serves, and ends in order on %s',
  async (signal) => {
    const npm = spawn('npm', ['start', '--silent', '--', '--engine', 'memory', '--port', '0'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(npm, 'exit')
    try {
      const answer = await fetch(new URL('/?name=alice', await urlOf(npm)))
      expect(await answer.text()).toBe('index get ok!')
    } finally {
      npm.kill(signal)
    }
    expect(await ended).toEqual([0, null])
  },
)

test('npm start ends with the exit code of the program and one line that says why', async () => {
  const npm = spawn('npm', ['start', '--silent', '--', '--engine', 'none'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  npm.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = (await once(npm, 'close')) as [number]
  expect(code).toBe(1)
  expect(errors).toMatch(/^There is no engine 'none'\..*\n$/)
})

/** The address that the program prints. */
async function urlOf(program: ChildProcess): Promise<string> {
  let output = ''
  for await (const text of program.stdout ?? []) {
    output += String(text)
    const url = /http:\/\/localhost:\d+/.exec(output)
    if (url !== null) return url[0]
  }
  throw new Error(`the program ended without an address: ${output}`)
}
