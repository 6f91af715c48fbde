import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const MODEL = new URL('../../docs/model/session.pml', import.meta.url).pathname
// In MB and in steps; both are several times what the model needs.
const LIMITS = ['-DMEMLIM=2000'] as const
const DEPTH = '-m1000'
// 2^24 places to find a state again, which are 128 MB.
const PLACES = '-w24'

/** What a run of the verifier said. */
export interface Verification {
  readonly errors: number
  /** Every state that can be reached was looked at. */
  readonly complete: boolean
  readonly states: number
  readonly depth: number
  readonly seconds: number
  /** Steps of the model that no run took. */
  readonly unreached: number
}

/**
 * Checks a claim of docs/model/session.pml for every interleaving.
 *
 * @param variant - a name that makes the model a broken one
 */
export async function verify(claim: string, variant?: string): Promise<Verification> {
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-spin-'))
  try {
    const broken = variant === undefined ? [] : [`-D${variant}`]
    // A broken model fails soon: there it is the compiler that takes the time.
    const optimised = variant === undefined ? '-O2' : '-O0'
    const mode = ['-DSAFETY', '-DCOLLAPSE', '-DNOREDUCE', ...LIMITS]
    await run(directory, 'spin', ['-a', ...broken, MODEL])
    await run(directory, 'gcc', [optimised, ...mode, '-o', 'pan', 'pan.c'])
    return parse(await run(directory, './pan', ['-N', claim, DEPTH, PLACES]))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function run(cwd: string, program: string, args: readonly string[]): Promise<string> {
  const options = { cwd, timeout: 240_000, maxBuffer: 16 * 1024 * 1024 }
  return (await promisify(execFile)(program, args, options)).stdout
}

function parse(output: string): Verification {
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(output)?.[1]
    if (found === undefined) throw new Error(`The verifier did not say ${pattern}:\n${output}`)
    return Number(found)
  }
  const unreached = [...output.matchAll(/unreached in (?:proctype|init)[^(]*\((\d+) of/g)]
  return {
    errors: number(/errors: (\d+)/),
    complete: !/not completed|out of memory|too small/i.test(output),
    states: number(/(\d+(?:\.\d+e\+\d+)?) states, stored/),
    depth: number(/depth reached (\d+)/),
    seconds: number(/elapsed time ([\d.]+)/),
    unreached: unreached.reduce((total, [, steps]) => total + Number(steps), 0),
  }
}
