import { HELP, readArguments } from './bench-arguments.js'
import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { ensurePrograms } from './programs.js'
import { root, run, runScript, say } from './tools.js'

const PROGRAMS = ['redis-server', 'memcached', 'postgresql']

await runScript(async () => {
  const args = process.argv.slice(2)
  const { help, report, smoke } = readArguments(args)
  if (help) return say(HELP)
  await ensureInstalled()
  if (!report) await prepare()
  // A smoke run measures nothing: it may share its cores.
  const env = smoke ? { ...process.env, BENCH_PIN: 'no' } : process.env
  const command = ['--import', 'tsx', `${root}bench/main.ts`, ...args]
  const { code } = await run(process.execPath, command, { env })
  return code
})

async function prepare() {
  await ensureInstalled('bench/')
  await ensurePrograms(PROGRAMS)
  await ensureBuilt()
}
