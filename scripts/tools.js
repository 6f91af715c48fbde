import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** A failure that needs no stack trace: its message says what is wrong and what to do. */
export class Problem extends Error {}

/**
 * One line about what is being done.
 * @param {string} text
 */
export function say(text) {
  process.stdout.write(`${text}\n`)
}

/**
 * Runs a program to its end. It shares the terminal, unless `quiet`: then its output is kept and
 * returned. A signal that ends this process ends the program first.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, stdout: string, output: string }>} output: what stderr got, too
 */
export async function run(program, args, { quiet = false, cwd = root, env = process.env } = {}) {
  const stdio = quiet ? 'pipe' : 'inherit'
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', stdio, stdio] })
  const unlink = linkSignals(child)
  let [stdout, output] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stdout?.on('data', (text) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (output += text))
  try {
    const [code, signal] = await once(child, 'close')
    const failure = 128 + constants.signals[/** @type {'SIGTERM'} */ (signal)]
    return { code: code ?? failure, stdout, output }
  } finally {
    unlink()
  }
}

/**
 * The same, for a program that must succeed: returns its stdout, and shows what it wrote if it fails.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export async function mustRun(program, args, options = {}) {
  const { code, stdout, output } = await run(program, args, { ...options, quiet: true })
  if (code === 0) return stdout
  process.stderr.write(output)
  throw new Problem(`"${[program, ...args].join(' ')}" failed with exit code ${code}.`)
}

/**
 * Runs npm: the one that started this script, if one did.
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function npm(args, options) {
  const started = process.env['npm_execpath']
  if (started?.endsWith('.js')) return mustRun(process.execPath, [started, ...args], options)
  return mustRun('npm', args, options)
}

/**
 * The command line of a tool that is installed in node_modules.
 * @param {string} path its file, relative to node_modules
 * @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
export function tool(path, args) {
  return [process.execPath, [`${root}node_modules/${path}`, ...args]]
}

/**
 * The main function of a script: a Problem is one line and exit code 1.
 * @param {() => Promise<number | void>} main resolves to the exit code
 */
export async function runScript(main) {
  try {
    process.exitCode = (await main()) ?? 0
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function linkSignals(child) {
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    child.kill(signal)
    process.exitCode = 128 + constants.signals[signal]
  }
  process.on('SIGINT', end).on('SIGTERM', end)
  return () => void process.off('SIGINT', end).off('SIGTERM', end)
}
