/**
 * Where the time of a measured server goes: its CPU profile, function by function and file by file. A
 * second run with other flags shows whether a change made it better.
 *
 *     npx tsx bench/profile.ts [group=node] [variant=sojourn] [work=read] [bytes=200] [requests=100000]
 *
 * The file stays, for the developer tools of a browser. `npm run bench -- --only parts` installs what is needed.
 *
 * @module
 */

import { mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from './support/engine.ts'
import { Generator } from './support/generator.ts'
import { Visitors } from './support/load.ts'
import { Subject } from './support/subject.ts'

const [group = 'node', variant = 'sojourn', work = 'read', ...numbers] = process.argv.slice(2)
const [bytes = 200, requests = 100_000] = numbers.map(Number)
const SHOWN = 40
const MINUTE = 60_000

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const directory = mkdtempSync(join(tmpdir(), 'bench-profile-'))
await record()
const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.cpuprofile'))
const profile = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Profile
const [functions, files] = sums(profile)
print('by function', functions)
print('by file', files)
process.stdout.write(`\n${join(directory, name)}\n`)

async function record(): Promise<void> {
  const redis = await Redis.start()
  const generator = Generator.start()
  try {
    const env = { ...redis.env, BENCH_DIRECTORY: directory }
    const flags = ['--cpu-prof', `--cpu-prof-dir=${directory}`, '--cpu-prof-interval=500']
    const subject = await Subject.start(group, variant, env, flags)
    const visitors = await Visitors.begin(subject, bytes, 32)
    const load = { path: `/${work}`, connections: 32, requests, milliseconds: MINUTE }
    await visitors.burst(generator, subject, load)
    await subject.stop()
  } finally {
    await generator.stop()
    await redis.stop()
  }
}

/** Microseconds of the second half, when everything is compiled: of functions, and of files. */
function sums({ nodes, samples, timeDeltas }: Profile): [Map<string, number>, Map<string, number>] {
  const own = new Map<number, number>()
  for (let place = samples.length >> 1; place < samples.length; place++) {
    const id = samples[place] ?? 0
    own.set(id, (own.get(id) ?? 0) + (timeDeltas[place] ?? 0))
  }
  const [byFunction, byFile] = [new Map<string, number>(), new Map<string, number>()]
  for (const { id, callFrame } of nodes) {
    const { functionName, lineNumber } = callFrame
    if (functionName === '(idle)') continue
    const file = callFrame.url.replace(/.*\/(dist|node_modules|subjects)\//, '$1/')
    add(byFunction, `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`, own.get(id))
    add(byFile, file || functionName, own.get(id))
  }
  return [byFunction, byFile]
}

function add(sums: Map<string, number>, key: string, time = 0): void {
  sums.set(key, (sums.get(key) ?? 0) + time)
}

function print(title: string, times: ReadonlyMap<string, number>): void {
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  process.stdout.write(`\n${title}, per cent\n`)
  const most = [...times].toSorted(([, left], [, right]) => right - left).slice(0, SHOWN)
  for (const [key, time] of most) {
    process.stdout.write(`${((100 * time) / total).toFixed(1).padStart(5)}  ${key}\n`)
  }
}
