import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { freePort } from '../../support/redis.ts'
import { root } from '../../support/source.ts'

const programs: ChildProcess[] = []
const directories: string[] = []

/** Ends every example that was started. */
export async function stopExamples(): Promise<void> {
  for (const program of programs.splice(0)) {
    program.kill()
    if (program.exitCode === null && program.signalCode === null) await once(program, 'exit')
  }
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
}

/** Starts an example as it was built, in an empty directory; answers its port when it serves. */
export async function startExample(framework: string): Promise<number> {
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
