import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { pinned } from './cpus.ts'

/** What was measured on. Neither names nor paths of it. */
export interface Machine {
  readonly system: string
  readonly processor: string
  readonly cores: number
  /** GB */
  readonly memory: number
  /** Whether what is measured, and all that it is measured with, had a core each. */
  readonly pinned: boolean
  readonly versions: Readonly<Record<string, string>>
}

export function describeMachine(): Machine {
  return {
    system: `${platform()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: Math.round(totalmem() / 1e9),
    pinned,
    versions: {
      Node: process.versions.node,
      Redis: versionOf('redis-server', ['--version'], /v=(\S+)/),
      Memcached: versionOf('memcached', ['-V'], /(\d\S+)/),
    },
  }
}

function versionOf(program: string, args: readonly string[], pattern: RegExp): string {
  try {
    return pattern.exec(execFileSync(program, args, { encoding: 'utf8' }))?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))

/** What tells one state of `src` from another. */
export function digestOfSources(): string {
  const digest = createHash('sha256')
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => name.endsWith('.ts')).toSorted()) {
    digest.update(`${file}\n`).update(readFileSync(`${SOURCES}/${file}`))
  }
  return digest.digest('hex').slice(0, 16)
}
