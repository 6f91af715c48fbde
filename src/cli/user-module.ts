import { existsSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './command.ts'

/** A module of the user that was loaded. */
export interface UserModule {
  readonly url: URL
  readonly exports: Readonly<Record<string, unknown>>
}

/**
 * Loads a module by its path.
 *
 * @throws UsageError if there is none, or if it cannot be loaded
 */
export async function loadModule(path: string): Promise<UserModule> {
  const file = resolve(path)
  if (!existsSync(file)) {
    throw new UsageError(
      `There is no file ${file}. Give the path of a module, as from this folder.`,
    )
  }
  const url = pathToFileURL(file)
  try {
    return { url, exports: (await import(url.href)) as Record<string, unknown> }
  } catch (cause) {
    throw new UsageError(whyNot(path, cause), { cause })
  }
}

function whyNot(path: string, cause: unknown): string {
  if (isTypeScript(path) && cannotStripTypes(cause)) {
    return (
      `Node ${process.version} does not load TypeScript such as ${path}. Install tsx and run ` +
      `NODE_OPTIONS='--import tsx' npx sojourn …, or compile the module, or use Node 22.18 or later.`
    )
  }
  const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  return `${path} could not be loaded: ${reason}`
}

function isTypeScript(path: string): boolean {
  return ['.ts', '.mts', '.cts'].includes(extname(path))
}

/** Either no TypeScript at all, or a syntax that is more than types. */
function cannotStripTypes(cause: unknown): boolean {
  const code: unknown = Reflect.get(Object(cause), 'code')
  return code === 'ERR_UNKNOWN_FILE_EXTENSION' || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
}
