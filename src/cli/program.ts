import { parseArgs } from 'node:util'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Output, Typed } from './command.ts'
import { commands } from './commands.ts'
import { didYouMean } from './nearest.ts'

const HELP = { help: { type: 'boolean', short: 'h' } } as const

/**
 * Does what was typed.
 *
 * @param args - what follows the name of the program
 * @param version - what `--version` prints
 * @throws UsageError
 */
export async function runProgram(
  [name, ...args]: readonly string[],
  output: Output,
  version: string,
): Promise<ExitCode> {
  if (name === '--version' || name === '-v') return say(output, version)
  if (name === undefined) throw new UsageError(`A command is missing.\n\n${helpOfAll()}`)
  if (name === '--help' || name === '-h' || name === 'help') return say(output, helpOfAll())
  const command = await commandOf(name)
  const typed = read(name, command, args)
  if (typed.values['help'] === true) return say(output, command.help)
  return command.run(typed, output)
}

async function commandOf(name: string): Promise<Command> {
  const known = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (known !== undefined) return known.load()
  const hint = didYouMean(name, Object.keys(commands))
  throw new UsageError(`There is no command '${name}'.${hint}\n\n${helpOfAll()}`)
}

function read(name: string, { options }: Command, args: readonly string[]): Typed {
  try {
    const known = { ...options, ...HELP }
    const { values, positionals } = parseArgs({
      args: [...args],
      options: known,
      allowPositionals: true,
    })
    return { values, positionals }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(`${reasonOf(error, Object.keys(options))} See 'sojourn ${name} --help'.`)
  }
}

/** The first sentence of Node, with the option that may have been meant. */
function reasonOf({ message }: Error, options: readonly string[]): string {
  const [sentence = message] = message.split(/\. |\.$/)
  const unknown = /^Unknown option '--?([^']+)'/.exec(message)?.[1]
  const known = options.map((option) => `--${option}`)
  return `${sentence}.${unknown === undefined ? '' : didYouMean(`--${unknown}`, known)}`
}

function helpOfAll(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`,
  )
  return `Usage: sojourn <command> [options]

${lines.join('\n')}

'sojourn <command> --help' says more of one. 'sojourn --version' names the version.`
}

function say(output: Output, text: string): ExitCode {
  output.write(`${text}\n`)
  return 0
}
