import { parseArgs } from 'node:util'
import type { EngineName, StorageSettings } from 'sojourn/tornado'

/** What the program was asked to do. */
export interface Arguments {
  readonly engine: EngineName
  readonly storage: StorageSettings
  readonly port: number
}

/** A mistake on the command line: its message is one line for the person who made it. */
export class UsageError extends Error {}

const ENGINES: readonly EngineName[] = ['embedded', 'memory', 'redis']
const USAGE = 'Options: --engine embedded|memory|redis, --redis-url redis://host:6379, --port 8888.'

/** What `--help` prints. */
export const HELP = `The origin program: npm start -- [options]

  --engine embedded|memory|redis   where sessions are kept; embedded, or redis where its URL is known
  --redis-url redis://host:6379    where Redis is; else REDIS_URL says it
  --port 8888                      where to listen on this machine; else PORT says it, 0 for any free one
  --help                           prints this

SESSION_SECRET signs the cookies; without it, in development, a secret is made and kept in .sojourn.`

/**
 * Reads the command line, and PORT and REDIS_URL where it says nothing.
 *
 * @throws UsageError
 */
export function readArguments(args: readonly string[], env: NodeJS.ProcessEnv): Arguments | 'help' {
  const given = parse(args)
  if (given.help === true) return 'help'
  const url = given['redis-url'] ?? env['REDIS_URL']
  const engine = engineOf(given.engine ?? (url ? 'redis' : 'embedded'))
  if (engine !== 'redis' && given['redis-url'] !== undefined) {
    throw new UsageError(`--redis-url does not fit --engine ${engine}. ${USAGE}`)
  }
  return {
    engine,
    storage: storageOf(engine, url),
    port: portOf(given.port ?? (env['PORT'] || '8888')),
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    const options = {
      engine: text,
      'redis-url': text,
      port: text,
      help: { type: 'boolean' },
    } as const
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    const [reason = ''] = (error as Error).message.split(/\. |\n/, 1)
    throw new UsageError(`${reason.replace(/\.$/, '')}. ${USAGE}`)
  }
}

function engineOf(name: string): EngineName {
  const engine = ENGINES.find((one) => one === name)
  if (engine !== undefined) return engine
  throw new UsageError(`There is no engine '${name}'. ${USAGE}`)
}

function storageOf(engine: EngineName, url: string | undefined): StorageSettings {
  if (engine !== 'redis') return {}
  return { ...(url ? { url } : { host: 'localhost', port: 6379 }), maxConnections: 2 ** 64 }
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new UsageError(`'${text}' is no port: give a number from 0 to 65535. ${USAGE}`)
}
