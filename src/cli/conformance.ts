import { adapterChecks, run, runAdapterChecks, storeChecks } from '../conformance/index.ts'
import type { AdapterKitOptions, Report, StoreKitOptions } from '../conformance/index.ts'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Output, Typed } from './command.ts'
import { didYouMean } from './nearest.ts'
import { loadModule } from './user-module.ts'
import type { UserModule } from './user-module.ts'

const HELP = `Usage: sojourn conformance <module> [options]

Checks a store against the contract of stores (docs/store-contract.md). The module exports

  export const store = () => new MyStore(…)   called for each store over the same sessions, here
                                              and in the processes of the parallel checks

and, if it likes, other options of the kit under their names: engine, clock, env, worker, execArgv,
timeout; and \`stop\`, which is called in the end.

  --only S11,S12     only these checks
  --level <level>    must: a SHOULD that does not hold is only a warning (default); should: it fails
  --rounds <n>       how often each parallel check is repeated (default 100)
  --writers <n>      parallel writers (default 16)
  --processes <n>    processes in which they are (default 2; 0: all in this one)
  --json             the report as JSON
  --adapter          checks an adapter of a framework instead: the module exports \`serve\`, as
                     AdapterKitOptions of sojourn/conformance has it

Exit code: 0 if everything holds, 1 if something does not, 2 if it could not be checked.`

interface Request {
  readonly only: string | undefined
  readonly numbers: Readonly<Record<string, number>>
  readonly output: Output
}

/** `sojourn conformance`: the kit, run on a module of the user. */
export const conformance: Command = {
  help: HELP,
  options: {
    only: { type: 'string' },
    level: { type: 'string' },
    rounds: { type: 'string' },
    writers: { type: 'string' },
    processes: { type: 'string' },
    json: { type: 'boolean' },
    adapter: { type: 'boolean' },
  },
  run: async (typed, output) => {
    const path = pathIn(typed)
    const level = levelIn(typed)
    const request = { only: textOf(typed, 'only'), numbers: numbersIn(typed), output }
    const isAdapter = typed.values['adapter'] === true
    const module = await loadModule(path)
    const report = await (isAdapter ? checkAdapter(module, request) : checkStore(module, request))
    output.write(typed.values['json'] === true ? jsonOf(report) : `${report.toString()}\n`)
    return codeOf(report, level)
  },
}

async function checkStore({ url, exports }: UserModule, request: Request): Promise<Report> {
  const { store, stop } = exports
  if (typeof store !== 'function') throw noExport('store', exports)
  const checks = chosen(storeChecks, request.only)
  const { processes, ...numbers } = request.numbers
  const options = {
    worker: url,
    ...given(exports, ['engine', 'clock', 'env', 'worker', 'execArgv', 'timeout']),
    ...numbers,
    // Without processes the kit is told of no worker: all writers are here.
    ...(processes === 0 ? { worker: undefined } : processes !== undefined && { processes }),
    store: async () => checkedStore(await store()),
  } as StoreKitOptions
  return closing(stop, () => run(checks, options, progressOf(request.output, checks)))
}

async function checkAdapter({ exports }: UserModule, request: Request): Promise<Report> {
  if (typeof exports['serve'] !== 'function') throw noExport('serve', exports)
  const checks = chosen(adapterChecks, request.only)
  const options = given(exports, ['serve', 'protocol', 'delay']) as unknown as AdapterKitOptions
  return closing(exports['stop'], () =>
    runAdapterChecks(checks, options, progressOf(request.output, checks)),
  )
}

async function closing(stop: unknown, check: () => Promise<Report>): Promise<Report> {
  try {
    return await check()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`Nothing could be checked: ${reason}`, { cause })
  } finally {
    if (typeof stop === 'function') await stop()
  }
}

function checkedStore(store: unknown): ReturnType<StoreKitOptions['store']> {
  const { capabilities, load } = Object(store)
  if (typeof capabilities === 'object' && typeof load === 'function') return Object(store)
  throw new UsageError('`store` answered no SessionStore: it has no `capabilities` or no `load`.')
}

function chosen<C extends { readonly id: string }>(
  checks: readonly C[],
  only: string | undefined,
): readonly C[] {
  if (only === undefined) return checks
  const ids = checks.map(({ id }) => id)
  const wanted = only.split(',').map((id) => id.trim())
  for (const id of wanted) {
    if (!ids.includes(id)) throw new UsageError(`There is no check '${id}'.${didYouMean(id, ids)}`)
  }
  return checks.filter(({ id }) => wanted.includes(id))
}

function progressOf(output: Output, checks: readonly unknown[]): (check: Named) => void {
  let count = 0
  return ({ id, title }) => output.progress(`${++count}/${checks.length} ${id} ${title}`)
}

interface Named {
  readonly id: string
  readonly title: string
}

function given(exports: UserModule['exports'], names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => exports[name] !== undefined).map((name) => [name, exports[name]]),
  )
}

function noExport(name: string, exports: UserModule['exports']): UsageError {
  const names = Object.keys(exports)
  const found = names.length === 0 ? 'It exports nothing.' : `It exports ${names.join(', ')}.`
  const example = name === 'store' ? ' Add: export const store = () => new MyStore()' : ''
  return new UsageError(`The module exports no function \`${name}\`. ${found}${example}`)
}

function pathIn({ positionals }: Typed): string {
  const [path, ...others] = positionals
  if (path === undefined) throw new UsageError(`The path of a module is missing.\n\n${HELP}`)
  if (others.length === 0) return path
  throw new UsageError(`One module at a time: what is ${others.join(' ')}? See --help.`)
}

function levelIn(typed: Typed): 'must' | 'should' {
  const level = textOf(typed, 'level')?.toLowerCase() ?? 'must'
  if (level === 'must' || level === 'should') return level
  throw new UsageError(`--level is must or should, not '${level}'.`)
}

function numbersIn(typed: Typed): Record<string, number> {
  const names = ['rounds', 'writers', 'processes']
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = textOf(typed, name)
      return text === undefined ? [] : [[name, numberOf(name, text)] as const]
    }),
  )
}

function numberOf(name: string, text: string): number {
  const least = name === 'processes' ? 0 : 1
  if (/^\d{1,6}$/.test(text) && Number(text) >= least) return Number(text)
  throw new UsageError(`--${name} is a whole number from ${least} on, not '${text}'.`)
}

function textOf({ values }: Typed, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

function jsonOf({ subject, passed, failed, warned, skipped, results }: Report): string {
  const report = { subject, passed, failed, warned, skipped, results }
  return `${JSON.stringify(report, null, 2)}\n`
}

function codeOf({ failed, warned }: Report, level: 'must' | 'should'): ExitCode {
  return failed > 0 || (level === 'should' && warned > 0) ? 1 : 0
}
